import { watch } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import type { LogReader } from '../../capabilities/environment/ports.ts'
import { systemCode } from '../../kernel/std/index.ts'

const blockBytes = 64 * 1024
/** A line beyond this is cut; a replica that never writes a newline does not fill our memory. */
const maxLineBytes = 64 * 1024
const pollMs = 500

async function sizeOf(file: string): Promise<{ readonly size: number; readonly inode: number } | null> {
  try {
    const { size, ino } = await stat(file)
    return { size, inode: ino }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}

async function readRange(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(to - from)
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, from)
  return buffer.subarray(0, bytesRead)
}

async function tail(file: string, lines: number): Promise<readonly string[]> {
  const found = await sizeOf(file)
  if (found === null) return []
  const handle = await open(file, 'r')
  try {
    let from = found.size
    let text = Buffer.alloc(0)
    let newlines = 0
    while (from > 0 && newlines <= lines && text.length < lines * maxLineBytes) {
      const start = Math.max(0, from - blockBytes)
      const block = await readRange(handle, start, from)
      newlines += block.filter((byte) => byte === 10).length
      text = Buffer.concat([block, text])
      from = start
    }
    const all = text.toString('utf8').split('\n')
    if (all.at(-1) === '') all.pop()
    return all.slice(-lines)
  } finally {
    await handle.close()
  }
}

/** Waits until the file may have changed, or the signal aborts. */
function changed(file: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
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

function watchIfPossible(file: string, onChange: () => void): ReturnType<typeof watch> | null {
  try {
    const watcher = watch(file, onChange)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return null // no file yet, or no watches left: the poll will do
  }
}

async function readFrom(file: string, from: number): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    return await readRange(handle, from, from + blockBytes)
  } finally {
    await handle.close()
  }
}

/** Splits what has come into whole lines and a rest, cutting a rest that is too long. */
function splitLines(text: string): { readonly lines: readonly string[]; readonly rest: string } {
  const parts = text.split('\n')
  const rest = parts.pop() ?? ''
  return rest.length > maxLineBytes ? { lines: [...parts, rest], rest: '' } : { lines: parts, rest }
}

async function* follow(file: string, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let position = (await sizeOf(file))?.size ?? 0
  let rest = ''
  while (!signal.aborted) {
    const found = await sizeOf(file)
    if (found !== null && found.size < position) position = 0 // rotated: the file was begun anew
    if (found === null || found.size === position) {
      await changed(file, signal)
      continue
    }
    const block = await readFrom(file, position)
    position += block.length
    const split = splitLines(rest + decoder.decode(block, { stream: true }))
    rest = split.rest
    yield* split.lines
  }
}

/** Reads the log files of replicas. */
export const logFiles: LogReader = { tail, follow }
