import type { LogReader, LogTail } from '../../capabilities/environment/ports.ts'
import type { DockerDoor } from './docker/docker-door.ts'
import { taskOfLog } from './decide/tasks.ts'

interface LogLine {
  /** When it was written, microseconds since the epoch. */
  readonly at: number
  readonly text: string
}

/** What dockerode can do and its types do not say: all at once, or as it comes when it is followed. */
interface LoggedTask {
  logs(options: object): Promise<Buffer | AsyncIterable<unknown>>
}

const headerBytes = 8
const newline = /\r?\n$/

/** Splits what comes into its frames: a byte for the stream, three empty ones, the length, the message. */
export async function* readFrames(
  stream: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<string> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(4)
      if (rest.length < end) break
      yield rest.subarray(headerBytes, end).toString('utf8')
      rest = rest.subarray(end)
    }
  }
}

/** A message that begins with its time in nanoseconds, as RFC 3339 writes it. */
export function parseLine(message: string): LogLine {
  const space = message.indexOf(' ')
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(message.slice(0, space)) ?? []
  const at = Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
  return { at, text: message.slice(space + 1).replace(newline, '') }
}

interface Asked {
  readonly task: string
  /** How many lines of the past; null: all since `since`. */
  readonly tail: number | null
  /** Microseconds since the epoch. */
  readonly since: number
  readonly follow: boolean
  readonly signal: AbortSignal
}

async function* readTask(
  door: DockerDoor,
  { task, tail, since, follow, signal }: Asked,
): AsyncGenerator<LogLine> {
  const options = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow,
    tail: tail ?? 'all',
    ...(since === 0 ? {} : { since: (since / 1_000_000).toFixed(6) }),
    abortSignal: signal,
  }
  const answer = await door.askPatiently((docker) =>
    (docker.getTask(task) as unknown as LoggedTask).logs(options),
  )
  for await (const message of readFrames(answer instanceof Buffer ? [answer] : answer))
    yield parseLine(message)
}

/** Answers of Docker that take longer have got lost on their way from another node. */
const tailTimeoutMs = 5000

async function tailTask(door: DockerDoor, task: string, lines: number): Promise<LogTail> {
  const found: LogLine[] = []
  const asked = { task, tail: lines, since: 0, follow: false, signal: AbortSignal.timeout(tailTimeoutMs) }
  for await (const line of readTask(door, asked)) found.push(line)
  return { lines: found.map(({ text }) => text), end: (found.at(-1)?.at ?? 0) + 1 }
}

async function* followTask(door: DockerDoor, asked: Asked): AsyncGenerator<string> {
  try {
    for await (const { text } of readTask(door, asked)) yield text
  } catch (error) {
    if (!asked.signal.aborted) throw error
  }
}

/**
 * Reads the logs of tasks, from whichever node they run on, and those of files. Where a log ended is said in
 * microseconds. What is followed ends with the task.
 */
export function swarmLogs(door: DockerDoor, files: LogReader): LogReader {
  return {
    tail: (name, lines) => {
      const task = taskOfLog(name)
      return task === null ? files.tail(name, lines) : tailTask(door, task, lines)
    },
    follow: (name, from, signal) => {
      const task = taskOfLog(name)
      if (task === null) return files.follow(name, from, signal)
      return followTask(door, { task, tail: null, since: from, follow: true, signal })
    },
  }
}
