import { open, type FileHandle } from 'node:fs/promises'
import { systemCode } from '../../kernel/std/index.ts'

/** How much is read at once, bytes. */
export const blockBytes = 64 * 1024
/** A line beyond this many bytes is cut into pieces: a replica that never writes a newline does not fill our memory. */
export const longestLineBytes = 64 * 1024

/** Reads up to `to` and no further; shorter when the file ends before. */
export async function readRange(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(to - from)
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, from)
  return buffer.subarray(0, bytesRead)
}

/** Does something with an open file and closes it; null when there is no such file. */
export async function withFile<T>(file: string, act: (handle: FileHandle) => Promise<T>): Promise<T | null> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  if (handle === null) return null
  try {
    return await act(handle)
  } finally {
    await handle.close()
  }
}
