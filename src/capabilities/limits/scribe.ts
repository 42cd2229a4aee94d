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

/** Starts to write. `replayed`: so many entries there are since the last snapshot. */
export function startScribe(ground: ScribeGround, replayed: number): Scribe {
  const { journal, clock, log } = ground
  let tail: string[] = []
  let unwritten = 0
  let sinceSnapshot = replayed
  let savedAtMs = clock.monotonicMs()
  let saving: Promise<void> | null = null
  let isFailing = false

  const failed = (error: unknown): void => {
    if (!isFailing) log.error({ error: plainError(error).message }, 'limits cannot be written down')
    isFailing = true
  }
  /** What could not be written of the tail goes back to its beginning: it was answered already. */
  const append = async (entries: readonly string[]): Promise<void> => {
    const before = tail
    tail = []
    try {
      await journal.append([...before, ...entries])
      unwritten -= before.length
      sinceSnapshot += before.length + entries.length
      isFailing = false
    } catch (error) {
      tail = [...before, ...tail]
      failed(error)
      throw error
    }
  }
  /** The snapshot has the tail in it, which therefore must not be written after it. */
  const save = async (): Promise<void> => {
    const { snapshot, remembered } = ground.save()
    const [before, entries] = [tail, sinceSnapshot]
    tail = []
    try {
      await journal.save(snapshot, remembered, clock.now())
      unwritten -= before.length
      sinceSnapshot -= entries
      savedAtMs = clock.monotonicMs()
    } catch (error) {
      tail = [...before, ...tail]
      ground.notSaved(remembered)
      throw error
    }
  }
  const saveSoon = (): void => {
    const isOld = sinceSnapshot > 0 && clock.monotonicMs() - savedAtMs > snapshotEveryMs
    if (saving !== null || isFailing || (sinceSnapshot < snapshotEveryEntries && !isOld)) return
    saving = save()
      .catch(failed)
      .finally(() => (saving = null))
  }
  let latest: Promise<void> = Promise.resolve()
  let flushing: Promise<void> | null = null
  const flush = (): void => {
    if (flushing !== null || tail.length === 0) return
    flushing = append([])
      .catch(() => undefined)
      .finally(() => (flushing = null))
  }
  const endTail = clock.every(tailMs, () => {
    flush()
    saveSoon()
  })
  return {
    write: async (entries, fast) => {
      if (entries.length === 0) return
      if (!fast || unwritten + entries.length > mostUnwritten) return (latest = append(entries))
      unwritten += entries.length
      for (const entry of entries) tail.push(entry)
    },
    settled: () => latest,
    close: async () => {
      endTail()
      await flushing
      await saving
      await save()
    },
  }
}
