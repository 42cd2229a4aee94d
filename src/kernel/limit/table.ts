import { isSpent, rewound, shareOf } from './entry.ts'
import { giveLock, LINE, takeLock, WAYS, type Layout } from './buffer.ts'

import type { Registry } from './registry.ts'

/** Of a bucket's 32-bit head, bit 0 is the lock and the rest its stamp: when idle entries were last removed. */
const STAMP_MS = 4096
/** Buckets older than this are tidied when they are next touched: well inside the range of serial numbers. */
const TIDY_STAMPS = 16
const TAGS = 1
const VALUES = 1 + WAYS
/** In half-words from the start of a bucket. */
const IDS = 2 * (1 + 2 * WAYS)
const ODD = 0x9e3779b1 | 0
const OTHER_ODD = 0x85ebca6b | 0

/** Two numbers of 32 bits that belong to a limit; they give its keys places of their own. */
export interface Salt {
  readonly saltLow: number
  readonly saltHigh: number
}

/**
 * The table: buckets of one cache line with six places. A key may lie in either of two buckets. Whoever looks
 * at a bucket holds its lock; a place is only given away by one who holds both buckets of the key.
 */
export class Table {
  readonly words: Int32Array
  readonly #halves: Uint16Array
  readonly #registry: Registry
  readonly #first: number
  readonly #buckets: number
  readonly #scale: number
  /** Where `locate` says that the key may lie: word numbers of two buckets, and the tag. */
  primary = 0
  secondary = 0
  tag = 0

  constructor(layout: Layout, registry: Registry) {
    this.words = new Int32Array(layout.buffer)
    this.#halves = new Uint16Array(layout.buffer)
    this.#registry = registry
    this.#first = layout.firstBucket
    this.#buckets = layout.buckets
    this.#scale = layout.buckets / 2 ** 32
  }

  /** Computes `primary` and `tag` of a key's two lanes under a limit. */
  locate(low: number, high: number, salt: Salt): void {
    const place = low ^ salt.saltLow
    this.primary = this.#first + LINE * (((place >>> 0) * this.#scale) | 0)
    this.tag = place ^ Math.imul(high ^ salt.saltHigh, ODD)
  }

  /** Computes `secondary` as well, which follows from the tag. */
  locateSecondary(): void {
    const mixed = Math.imul(this.tag ^ (this.tag >>> 15), OTHER_ODD)
    const bucket = this.#first + LINE * ((((mixed ^ (mixed >>> 13)) >>> 0) * this.#scale) | 0)
    const next = bucket + LINE === this.#first + LINE * this.#buckets ? this.#first : bucket + LINE
    this.secondary = bucket === this.primary ? next : bucket
  }

  /** Takes the lock of a bucket and removes what has long been idle in it. */
  lock(bucket: number, nowMs: number): void {
    const head = takeLock(this.words, bucket)
    const age = Math.floor(nowMs / STAMP_MS) - (head >>> 1)
    if (age < 0 || age >= TIDY_STAMPS) this.#tidyByStamp(bucket, nowMs)
  }

  /** Gives the lock of a bucket back. */
  unlock(bucket: number): void {
    giveLock(this.words, bucket)
  }

  /** The place of a key in a locked bucket, or -1. A place is the bucket's word number plus 0 to 5. */
  find(bucket: number, tag: number, id: number): number {
    const words = this.words
    for (let way = 0; way < WAYS; way++) {
      if (words[bucket + TAGS + way] === tag && this.#halves[2 * bucket + IDS + way] === id)
        return bucket + way
    }
    return -1
  }

  /** The value in a place. */
  value(place: number): number {
    return this.words[place + VALUES] ?? 0
  }

  /** Sets the value in a place. */
  setValue(place: number, value: number): void {
    this.words[place + VALUES] = value
  }

  /** The tag in a place. */
  tagAt(place: number): number {
    return this.words[place + TAGS] ?? 0
  }

  /** The number of the limit in a place; 0: nobody's. */
  idAt(place: number): number {
    return this.#halves[idIndex(place)] ?? 0
  }

  /** Gives a place to a key (or, with id 0, to nobody). */
  assign(place: number, tag: number, id: number): void {
    this.words[place + TAGS] = tag
    this.#halves[idIndex(place)] = id
  }

  /** How much of its allowance the entry in a place has in use, 0 to 1. */
  share(place: number, nowMs: number): number {
    const id = this.idAt(place)
    return id === 0 ? 0 : shareOf(this.#registry.form(id), this.value(place), nowMs)
  }

  /**
   * The place that a new key gets, both of whose buckets are locked: in its first bucket while that has two free
   * places, else in the emptier one. When both are full, the place of the entry nearest to idle.
   */
  vacancy(primary: number, secondary: number, nowMs: number): number {
    const here = this.#free(primary)
    if (here.count > 1) return here.place
    this.#tidy(primary, nowMs, 0)
    const tidied = this.#free(primary)
    if (tidied.count > 1) return tidied.place
    this.#tidy(secondary, nowMs, 0)
    const there = this.#free(secondary)
    if (tidied.count + there.count > 0) return there.count > tidied.count ? there.place : tidied.place
    return this.#nearestIdle([primary, secondary], nowMs)
  }

  /** Removes all entries of these limits. Goes through the whole table, a bucket at a time. */
  forget(ids: ReadonlySet<number>): void {
    for (let bucket = this.#first; bucket < this.#first + LINE * this.#buckets; bucket += LINE) {
      takeLock(this.words, bucket)
      for (let place = bucket; place < bucket + WAYS; place++) {
        if (ids.has(this.idAt(place))) this.assign(place, 0, 0)
      }
      giveLock(this.words, bucket)
    }
  }

  #free(bucket: number): { readonly count: number; readonly place: number } {
    let count = 0
    let free = -1
    for (let place = bucket + WAYS - 1; place >= bucket; place--) {
      if (this.idAt(place) !== 0) continue
      count++
      free = place
    }
    return { count, place: free }
  }

  #nearestIdle(buckets: readonly number[], nowMs: number): number {
    let nearest = -1
    let least = Number.POSITIVE_INFINITY
    for (const bucket of buckets) {
      for (let place = bucket; place < bucket + WAYS; place++) {
        const share = this.share(place, nowMs)
        if (share >= least) continue
        least = share
        nearest = place
      }
    }
    return nearest
  }

  #tidyByStamp(bucket: number, nowMs: number): void {
    const stamp = Math.floor(nowMs / STAMP_MS)
    const before = (this.words[bucket] ?? 0) >>> 1
    if (stamp < before) this.#rewind(bucket, { fromMs: before * STAMP_MS, nowMs })
    else this.#tidy(bucket, nowMs, (stamp - before + 1) * STAMP_MS)
    Atomics.store(this.words, bucket, (stamp << 1) | 1)
  }

  /** Removes idle entries; `gapMs` is the time for which nobody may have looked at them. */
  #tidy(bucket: number, nowMs: number, gapMs: number): void {
    for (let place = bucket; place < bucket + WAYS; place++) {
      const id = this.idAt(place)
      if (id === 0) continue
      const form = this.#registry.form(id)
      if (isSpent(form, gapMs) || shareOf(form, this.value(place), nowMs) === 0) this.assign(place, 0, 0)
    }
  }

  #rewind(bucket: number, clock: { readonly fromMs: number; readonly nowMs: number }): void {
    for (let place = bucket; place < bucket + WAYS; place++) {
      const id = this.idAt(place)
      if (id === 0) continue
      const value = rewound(this.#registry.form(id), this.value(place), clock)
      if (value === 'idle') this.assign(place, 0, 0)
      else this.setValue(place, value)
    }
  }
}

function idIndex(place: number): number {
  return 2 * (place & ~(LINE - 1)) + IDS + (place & (LINE - 1))
}
