import { open, rename, rm, writeFile } from 'node:fs/promises'
import { systemCode, type Clock } from '../../std/index.ts'

/** Between two writes, ms: what is taken in it may be forgotten when the process is killed. */
export const snapshotEveryMs = 250

/** More than any snapshot has; what is larger is something else. */
const largestBytes = 2 ** 31 - 1

/**
 * The bytes of a snapshot's file, at most `mostBytes` of them; null when there is none. Rejects with the system's error.
 */
export async function readSnapshotFile(path: string, mostBytes = largestBytes): Promise<Uint8Array | null> {
  try {
    await using file = await open(path)
    const bytes = Buffer.alloc(Math.min(mostBytes, (await file.stat()).size))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}

/** What a file of snapshots is kept with. */
export interface SnapshotKeeping {
  readonly clock: Clock
  /** Default: `snapshotEveryMs`. */
  readonly everyMs?: number
  /** A snapshot; null when nothing was taken since the last. */
  readonly save: () => Uint8Array | null
  /** Called once when writing begins to fail. */
  readonly failed: (error: unknown) => void
}

/**
 * Writes a snapshot to a file (mode 0600, replaced as a whole, no fsync) in each beat, until the returned function is
 * called, which writes a last time. A write that fails is made up for by the next.
 */
export function keepSnapshotFile(path: string, keeping: SnapshotKeeping): () => Promise<void> {
  let unwritten: Uint8Array | null = null
  let failing = false
  let working: Promise<void> | null = null
  const write = async (): Promise<void> => {
    try {
      unwritten = keeping.save() ?? unwritten
      if (unwritten === null) return
      await writeFile(`${path}.new`, unwritten, { mode: 0o600 })
      await rename(`${path}.new`, path)
      unwritten = null
      failing = false
    } catch (error) {
      await rm(`${path}.new`, { force: true }).catch(() => undefined)
      if (!failing) keeping.failed(error)
      failing = true
    }
  }
  /** A disk that is slower than the beat is asked for the next one only when it is done. */
  const next = (): void => {
    working ??= write().finally(() => (working = null))
  }
  const stop = keeping.clock.every(keeping.everyMs ?? snapshotEveryMs, next)
  return async () => {
    stop()
    await working
    await write()
  }
}
