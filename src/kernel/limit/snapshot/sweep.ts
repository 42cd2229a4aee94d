import { LINE, WAYS, type Layout } from '../buffer.ts'
import { isSpent, shareOf } from '../entry.ts'
import type { EntryForm } from '../registry.ts'
import { IDS, LOCKED, TAGS, unseenMs, VALUES } from '../table.ts'
import { NUMBERED } from './head.ts'

const SPINS = 200
const PATIENCE_NAPS = 250
/** Shares are told apart in so many levels; 0 is a bucket in which nothing is in use. */
const LEVELS = 256

interface Copy {
  readonly saved: Int32Array
  /** The same as half-words. */
  readonly ids: Uint16Array
}

/**
 * Goes through a table that others may be taking from. It holds no lock, so that nobody ever waits for it: an entry is
 * read again until whose it is and what it owes belong together.
 */
export class Sweep {
  declare private readonly layout: Layout
  declare private readonly forms: ReadonlyMap<number, EntryForm>
  declare private readonly nowMs: number
  declare private readonly words: Int32Array
  declare private readonly halves: Uint16Array
  /** What `settle` has read. */
  private tag = 0
  private value = 0

  constructor(layout: Layout, forms: ReadonlyMap<number, EntryForm>, nowMs: number) {
    this.layout = layout
    this.forms = forms
    this.nowMs = nowMs
    this.words = new Int32Array(layout.buffer)
    this.halves = new Uint16Array(layout.buffer)
  }

  /** Numbers of the buckets in which something is in use; beyond `most`, those with the fullest accounts. */
  buckets(most: number): readonly number[] {
    const levels = new Uint8Array(this.layout.buckets)
    const counts = new Uint32Array(LEVELS)
    for (let bucket = 0; bucket < levels.length; bucket++) {
      const level = this.level(bucket)
      levels[bucket] = level
      counts[level] = (counts[level] ?? 0) + 1
    }
    const chosen: number[] = []
    const { least, room } = lowestLevel(counts, most)
    let left = room
    for (let bucket = 0; bucket < levels.length; bucket++) {
      const level = levels[bucket] ?? 0
      if (level > least || (level === least && left-- > 0)) chosen.push(bucket)
    }
    return chosen
  }

  /** Writes buckets down from word `at` on, each after its number and without what is idle. */
  copy(buckets: readonly number[], saved: Int32Array, at: number): void {
    const into = { saved, ids: new Uint16Array(saved.buffer) }
    for (const [index, bucket] of buckets.entries()) {
      saved[at + index * NUMBERED] = bucket
      this.copyBucket(bucket, into, at + index * NUMBERED + 1)
    }
  }

  private copyBucket(bucket: number, { saved, ids }: Copy, to: number): void {
    const from = this.layout.firstBucket + bucket * LINE
    const head = Atomics.load(this.words, from)
    saved[to] = head & ~1
    for (let way = 0; way < WAYS; way++) {
      const id = this.settle(from, way)
      if (this.share(id, this.value, head) === 0) continue
      saved[to + TAGS + way] = this.tag
      saved[to + VALUES + way] = this.value
      ids[2 * to + IDS + way] = id
    }
  }

  /** Reads an entry into `tag` and `value`; the number of its limit, 0: nobody's, or in work for ever. */
  private settle(bucket: number, way: number): number {
    const { words, halves } = this
    for (let turn = 0; turn < SPINS + PATIENCE_NAPS; turn++) {
      const id = Atomics.load(halves, 2 * bucket + IDS + way)
      this.tag = Atomics.load(words, bucket + TAGS + way)
      this.value = Atomics.load(words, bucket + VALUES + way)
      const isWhole =
        this.value !== LOCKED &&
        Atomics.load(words, bucket + TAGS + way) === this.tag &&
        Atomics.load(halves, 2 * bucket + IDS + way) === id
      if (isWhole) return id
      if (turn > SPINS) Atomics.wait(words, bucket + VALUES + way, LOCKED, 1)
    }
    return 0
  }

  private level(bucket: number): number {
    const from = this.layout.firstBucket + bucket * LINE
    let most = 0
    for (let way = 0; way < WAYS; way++) {
      const id = this.halves[2 * from + IDS + way] ?? 0
      if (id === 0) continue
      const value = this.words[from + VALUES + way] ?? 0
      // One that is being worked on is worth a second look.
      const share = value === LOCKED ? 1 : this.share(id, value, this.words[from] ?? 0)
      if (share > 0) most = Math.max(most, 1 + Math.min(LEVELS - 2, Math.floor(share * (LEVELS - 2))))
    }
    return most
  }

  /** How much of its allowance an entry has in use; 0: idle, or of no limit that is known. */
  private share(id: number, value: number, head: number): number {
    const form = this.forms.get(id)
    if (form === undefined) return 0
    const gapMs = unseenMs(head, this.nowMs)
    // Seen last by a later time than now: the clock was set back, and whoever reads it next sets it right.
    if (gapMs <= 0) return 1
    return isSpent(form, gapMs) ? 0 : shareOf(form, value, this.nowMs)
  }
}

/** From which level on there is room, and how much for that level itself; what is idle has none. */
function lowestLevel(counts: Uint32Array, most: number): { readonly least: number; readonly room: number } {
  let room = most
  for (let level = LEVELS - 1; level > 0; level--) {
    const count = counts[level] ?? 0
    if (count > room) return { least: level, room }
    room -= count
  }
  return { least: 0, room: 0 }
}
