import { watch } from 'node:fs'
import { blockBytes, longestLineBytes, readRange, withFile } from './read.ts'

/** Not every file system tells of changes; this often we look ourselves. */
const pollMs = 500

function watchIfPossible(file: string, onChange: () => void): ReturnType<typeof watch> | null {
  try {
    const watcher = watch(file, onChange)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return null // no file yet, or no watches left: the poll will do
  }
}

/** Waits until the file may have changed, or the signal aborts. */
function changed(file: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const finish = (): void => {
      clearTimeout(timer)
      watcher?.close()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, pollMs)
    signal.addEventListener('abort', finish, { once: true })
    const watcher = watchIfPossible(file, finish)
  })
}

/** Splits what has come into whole lines and a rest, cutting a rest that is too long. */
function splitLines(text: string): { readonly lines: readonly string[]; readonly rest: string } {
  const parts = text.split('\n')
  const rest = parts.pop() ?? ''
  return rest.length >= longestLineBytes ? { lines: [...parts, rest], rest: '' } : { lines: parts, rest }
}

interface Step {
  readonly block: Buffer
  /** Where the next step begins. */
  readonly position: number
}

/** What has been appended since; a file that is shorter than before was begun anew. */
async function readOn(file: string, position: number): Promise<Step> {
  const step = await withFile(file, async (handle): Promise<Step> => {
    const { size } = await handle.stat()
    const from = size < position ? 0 : position
    const block = await readRange(handle, from, Math.min(size, from + blockBytes))
    return { block, position: from + block.length }
  })
  return step ?? { block: Buffer.alloc(0), position: 0 }
}

/**
 * Lines from a position on, until the signal aborts. A log that is rotated is copied and truncated, so the writer's
 * line may go on at the start of the file: what is left of the line before is kept.
 */
export async function* follow(file: string, from: number, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let position = from
  let rest = ''
  while (!signal.aborted) {
    const step = await readOn(file, position)
    position = step.position
    if (step.block.length === 0) {
      await changed(file, signal)
      continue
    }
    const split = splitLines(rest + decoder.decode(step.block, { stream: true }))
    rest = split.rest
    yield* split.lines
  }
}
