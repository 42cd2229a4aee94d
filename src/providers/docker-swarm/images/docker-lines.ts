import { buildLineShape, type BuildLine } from '../../../contracts/docker/swarm.ts'

/** What Docker says in the course of a build or a push, line by line, to its end. Throws on what is no such line. */
export async function* dockerLines(stream: NodeJS.ReadableStream): AsyncGenerator<BuildLine> {
  let rest = ''
  for await (const chunk of stream) {
    const lines = `${rest}${String(chunk)}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield buildLineShape.parse(JSON.parse(line))
  }
}
