import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'

/**
 * The end of a store, noted in a file beside it: a lost `-wal`, an older copy that was put back and a deleted file all
 * leave a store that is whole and shorter, and only something outside it can tell.
 */
export interface Mark {
  /** Of the newest entry that was committed. */
  readonly number: number
  /** Its hash; empty: the store keeps none. */
  readonly hash: string
}

/** The file of a mark, open. */
export interface MarkFile {
  /** To be called after each commit. Never throws: a mark that stays behind misses less, and nothing else. */
  write(mark: Mark): void
  close(): void
}

const numberDigits = 15

/** The file beside a store that has its mark: `timeline.head` of `timeline.db`. */
export function markPath(path: string): string {
  return join(dirname(path), `${basename(path, extname(path))}.head`)
}

/** The mark of the store at a path; null: there is none, or it is torn, and nothing is known. */
export function readMark(path: string): Mark | null {
  try {
    const match = /^(\d{1,15}):([0-9a-f]{64})?\n?$/.exec(readFileSync(markPath(path), 'latin1'))
    return match === null ? null : { number: Number(match[1]), hash: match[2] ?? '' }
  } catch {
    return null
  }
}

/**
 * Opens the file of a store's mark. It is written in place, always as long, and left to the system to bring to the
 * disk: a kill cannot tear or lose it, a power cut may leave an older one, but never one that is ahead of the store.
 */
export function openMark(path: string): MarkFile {
  const descriptor = openIfPossible(markPath(path))
  if (descriptor === null) return { write: () => undefined, close: () => undefined }
  return {
    write: ({ number, hash }) => {
      try {
        writeSync(descriptor, `${String(number).padStart(numberDigits, '0')}:${hash}\n`, 0, 'latin1')
      } catch {
        // A full disk, say: the store itself will say so.
      }
    },
    close: () => closeSync(descriptor),
  }
}

function openIfPossible(path: string): number | null {
  try {
    // Neither `w`, which empties the file, nor `a`, which ignores the position.
    return openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
  } catch {
    return null
  }
}
