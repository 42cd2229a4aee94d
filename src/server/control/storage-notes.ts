import { statfs } from 'node:fs/promises'
import { HoldfastError, plainError, saySize, type Clock } from '../../kernel/std/index.ts'
import type { Timeline } from '../../kernel/timeline/index.ts'

/** What is wrong with the disk and the stores on it, in words, for whoever asks how the environment is. */
export interface StorageNotes {
  /** A sentence for each trouble that lasts, with its error code; empty when all is well. */
  notes(): readonly string[]
  /** The timeline, whose refusals are noted until an append succeeds again. */
  watch(timeline: Timeline): Timeline
  /** A store other than the timeline could not write. */
  failed(store: string, error: unknown): void
  stop(): void
}

const lookEveryMs = 5000
/** As much as a start asks for: below it a note warns before anything fails. */
const scarceBytes = 32 * 2 ** 20
/** A store that says only when it begins to fail is believed for this long, or until the disk has room. */
const believedMs = 60_000

const ofTheDisk = ['timeline.disk-full', 'timeline.disk-failed', 'timeline.unwritable', 'timeline.full']

/** How many bytes are free for us on the disk below a directory; null: it cannot be asked. */
type FreeBytes = (directory: string) => Promise<number | null>

const askDisk: FreeBytes = async (directory) => {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch {
    return null
  }
}

interface Trouble {
  readonly says: string
  readonly isFull: boolean
  /** Monotonic; null: until it is over. */
  readonly untilMs: number | null
}

const sayTrouble = (error: unknown): string => {
  const { message, code, hint } = plainError(error)
  return `${message} (${code})${hint === undefined ? '' : `; ${hint}`}`
}

/** Begins to look at the disk below a data directory, every 5 s. */
export function watchStorage(
  dataDirectory: string,
  clock: Clock,
  freeBytes: FreeBytes = askDisk,
): StorageNotes {
  const troubles = new Map<string, Trouble>()
  let scarce: string | null = null

  const look = async (): Promise<void> => {
    const free = await freeBytes(dataDirectory)
    if (free === null) return
    scarce =
      free < scarceBytes
        ? `there is little room in the data directory ${dataDirectory}: ${saySize(free)} are free (data.disk-full); free some space`
        : null
    if (scarce !== null) return
    for (const [store, trouble] of troubles) if (trouble.isFull) troubles.delete(store)
  }
  const alive = (trouble: Trouble): boolean =>
    trouble.untilMs === null || trouble.untilMs > clock.monotonicMs()
  const note = (store: string, error: unknown, untilMs: number | null): void => {
    const { code } = plainError(error)
    const isFull = code === 'timeline.disk-full' || code === 'series.unwritable'
    troubles.set(store, { says: sayTrouble(error), isFull, untilMs })
    void look()
  }
  const append = async (
    timeline: Timeline,
    facts: Parameters<Timeline['append']>[0],
  ): ReturnType<Timeline['append']> => {
    try {
      const appended = await timeline.append(facts)
      troubles.delete('timeline')
      return appended
    } catch (error) {
      if (error instanceof HoldfastError && ofTheDisk.includes(error.code)) note('timeline', error, null)
      throw error
    }
  }
  void look()
  return {
    notes: () => [
      ...[...troubles.values()].filter(alive).map(({ says }) => says),
      ...(scarce === null ? [] : [scarce]),
    ],
    watch: (timeline) => ({ ...timeline, append: (facts) => append(timeline, facts) }),
    failed: (store, error) => note(store, error, clock.monotonicMs() + believedMs),
    stop: clock.every(lookEveryMs, () => void look()),
  }
}
