import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from '../../kernel/std/index.ts'

/**
 * Replaces a file as a whole: after a crash there is the old text or the new one. With `durable` also after a power
 * cut. Throws the system's error (ENOSPC, say) and leaves the old file as it was. Mode 0600; see `belongAsDirectory`.
 */
export function replaceFile(path: string, text: string, durable: boolean): void {
  const temporary = `${path}.new`
  try {
    // Not through a link that somebody may have put there.
    rmSync(temporary, { force: true })
    const descriptor = openSync(temporary, 'wx', 0o600)
    try {
      belongAsDirectory(descriptor, path)
      writeAll(descriptor, Buffer.from(text))
      if (durable) fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  if (durable) syncDirectory(dirname(path))
}

/**
 * What root makes in a directory of another user's belongs to that user, who could not read it otherwise. Nothing
 * happens for anybody but root. Throws the system's error.
 */
export function belongAsDirectory(descriptor: number, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(dirname(path))
  const own = fstatSync(descriptor)
  if (own.uid !== uid || own.gid !== gid) fchownSync(descriptor, uid, gid)
}

/** A short write (a disk that is nearly full) is no error of its own: go on until it is one. */
function writeAll(descriptor: number, bytes: Buffer): void {
  let offset = 0
  while (offset < bytes.length) offset += writeSync(descriptor, bytes, offset)
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Text of a file; undefined when there is none. Throws the system's error for any other failure. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Parses JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
