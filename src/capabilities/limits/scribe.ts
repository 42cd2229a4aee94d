import type { Log } from '../../kernel/capability/index.ts'
import { plainError, type Clock } from '../../kernel/std/index.ts'
import type { LimitJournal, LimitSnapshot, RememberedText } from './ports.ts'

/** Entries of fast limits that may be missing on disk at most: so much a crash forgets. */
export const mostUnwritten = 1000
/** For so long an entry of a fast limit waits at most, ms. */
export const tailMs = 50
/** After so many entries a snapshot is taken, so that a start has no more than these to do again. */
const snapshotEveryEntries = 50_000
/** After so long a snapshot is taken when anything was counted, ms. */
const snapshotEveryMs = 300_000

/** What a snapshot is made of, taken at one instant. */
export interface Saving {
  readonly snapshot: LimitSnapshot
  readonly remembered: readonly RememberedText[]
}

/** What a scribe stands on. */
export interface ScribeGround {
  readonly journal: LimitJournal
  readonly clock: Clock
  readonly log: Log
  readonly save: () => Saving
  /** Takes back what `save` gave and could not be saved. */
  readonly notSaved: (remembered: readonly RememberedText[]) => void
}

/** Writes down what was counted, in order. */
export interface Scribe {
  /**
   * Writes entries down. It has to be called in the same turn in which they were decided. Resolves when they are on
   * disk, or at once if they are `fast` and less than 1,000 of these are unwritten. Errors: those of the journal.
   */
  write(entries: readonly string[], fast: boolean): Promise<void>
  /** Resolves when what was handed over before is on disk, but for the tail. Errors: those of the journal. */
  settled(): Promise<void>
  /** Writes the tail and a snapshot. Errors: those of the journal. */
  close(): Promise<void>
}

/** What is written and what is not. */
interface Pages {
  /** Of fast limits, answered and not handed over yet. */
  tail: string[]
  /** Of fast limits, answered and not on disk. */
  unwritten: number
  sinceSnapshot: number
  savedAtMs: number
  isFailing: boolean
}

function noteFailure(pages: Pages, log: Log, error: unknown): void {
  if (!pages.isFailing) log.error({ error: plainError(error).message }, 'limits cannot be written down')
  pages.isFailing = true
}

/** What could not be written of the tail goes back to its beginning: it was answered already. */
async function append(
  pages: Pages,
  { journal, log }: ScribeGround,
  entries: readonly string[],
): Promise<void> {
  const before = pages.tail
  pages.tail = []
  try {
    await journal.append([...before, ...entries])
    pages.unwritten -= before.length
    pages.sinceSnapshot += before.length + entries.length
    pages.isFailing = false
  } catch (error) {
    pages.tail = [...before, ...pages.tail]
    noteFailure(pages, log, error)
    throw error
  }
}

/** The snapshot has the tail in it, which therefore must not be written after it. */
async function saveSnapshot(pages: Pages, ground: ScribeGround): Promise<void> {
  const { snapshot, remembered } = ground.save()
  const { tail: before, sinceSnapshot: entries } = pages
  pages.tail = []
  try {
    await ground.journal.save(snapshot, remembered, ground.clock.now())
    pages.unwritten -= before.length
    pages.sinceSnapshot -= entries
    pages.savedAtMs = ground.clock.monotonicMs()
  } catch (error) {
    pages.tail = [...before, ...pages.tail]
    ground.notSaved(remembered)
    throw error
  }
}

function isSnapshotDue({ sinceSnapshot, isFailing, savedAtMs }: Pages, clock: Clock): boolean {
  if (isFailing || sinceSnapshot === 0) return false
  return sinceSnapshot >= snapshotEveryEntries || clock.monotonicMs() - savedAtMs > snapshotEveryMs
}

/** One at a time: what is asked for while it runs is left to the next beat. */
function oneAtATime(act: () => Promise<void>, failed: (error: unknown) => void) {
  let running: Promise<void> | null = null
  return {
    begin: (): void => {
      running ??= act()
        .catch(failed)
        .finally(() => (running = null))
    },
    settled: async (): Promise<void> => void (await running),
  }
}

/** Starts to write. `replayed`: so many entries there are since the last snapshot. */
export function startScribe(ground: ScribeGround, replayed: number): Scribe {
  const { clock, log } = ground
  const savedAtMs = clock.monotonicMs()
  const pages: Pages = { tail: [], unwritten: 0, sinceSnapshot: replayed, savedAtMs, isFailing: false }
  const failed = (error: unknown): void => noteFailure(pages, log, error)
  const saving = oneAtATime(() => saveSnapshot(pages, ground), failed)
  const flushing = oneAtATime(() => append(pages, ground, []), failed)
  let latest: Promise<void> = Promise.resolve()
  const endBeat = clock.every(tailMs, () => {
    if (pages.tail.length > 0) flushing.begin()
    if (isSnapshotDue(pages, clock)) saving.begin()
  })
  return {
    write: async (entries, fast) => {
      if (entries.length === 0) return
      if (!fast || pages.unwritten + entries.length > mostUnwritten) {
        latest = append(pages, ground, entries)
        return latest
      }
      pages.unwritten += entries.length
      for (const entry of entries) pages.tail.push(entry)
    },
    settled: () => latest,
    close: async () => {
      endBeat()
      await flushing.settled()
      await saving.settled()
      await saveSnapshot(pages, ground)
    },
  }
}
