import { giveLock, LINE, takeLock, WAYS, type Layout } from './buffer.ts'
import { idleValue, isSpent, rewound, shareOf } from './entry.ts'
import type { Registry } from './registry.ts'

/** Of a bucket's 32-bit head, bit 0 is the lock and the rest its stamp: when idle entries were last removed. */
const STAMP_MS = 4096
/** Buckets older than this are tidied when they are next touched: well inside the range of serial numbers. */
const TIDY_STAMPS = 16
/** Number of the first word of a bucket that holds a tag. */
export const TAGS = 1
/** Number of the first word of a bucket that holds a value. */
export const VALUES = 1 + WAYS
/** Number of the first half-word of a bucket that holds a limit's number. */
export const IDS = 2 * (1 + 2 * WAYS)
const ODD = 0x9e3779b1 | 0
const OTHER_ODD = 0x85ebca6b | 0
const SPINS = 200
const PATIENCE_NAPS = 250

/** Stands in a place instead of its value while somebody works on it. No entry ever has this value. */
export const LOCKED = -(2 ** 31)

/** The stamp for a time. */
export function stampAt(nowMs: number): number {
  return Math.floor(nowMs / STAMP_MS)
}

/** Whether a bucket with this head has to be tidied before it is read; also after the clock was set back. */
export function isStale(head: number, stamp: number): boolean {
  return (stamp - (head >>> 1)) >>> 0 >= TIDY_STAMPS
}

/** For how long nobody may have looked at a bucket with this head; not above 0 after the clock was set back. */
export function unseenMs(head: number, nowMs: number): number {
  return (stampAt(nowMs) - (head >>> 1) + 1) * STAMP_MS
}

/** The tag of a key, from its two salted lanes; the first alone chooses the bucket. */
export function tagOf(low: number, high: number): number {
  return low ^ Math.imul(high, ODD)
}

/** The other bucket in which a key may lie. */
export function alternative(bucket: number, tag: number, buckets: number): number {
  const mixed = Math.imul(tag ^ (tag >>> 15), OTHER_ODD)
  const other = (((mixed ^ (mixed >>> 13)) >>> 0) * (buckets / 2 ** 32)) | 0
  if (other !== bucket) return other
  return other + 1 === buckets ? 0 : other + 1
}

/** Two numbers of 32 bits that belong to a limit; they give its keys places of their own. */
export interface Salt {
  readonly saltLow: number
  readonly saltHigh: number
}

/**
 * The table: buckets of one cache line with six places. A key may lie in either of two buckets.
 *
 * A value is changed by one compare-and-swap, or between locking it (`LOCKED` instead of the value) and giving it
 * back. Whose a place is changes only under the locks of its bucket and of its value.
 */
export class Table {
  declare readonly words: Int32Array
  declare private readonly halves: Uint16Array
  declare private readonly registry: Registry
  declare private readonly first: number
  declare private readonly end: number
  declare private readonly buckets: number
  /** Where `locate` says that the key may lie: word numbers of two buckets, and the tag. */
  primary = 0
  secondary = 0
  tag = 0

  constructor(layout: Layout, registry: Registry) {
    this.words = new Int32Array(layout.buffer)
    this.halves = new Uint16Array(layout.buffer)
    this.registry = registry
    this.first = layout.firstBucket
    this.end = layout.firstBucket + LINE * layout.buckets
    this.buckets = layout.buckets
  }

  /** Computes `primary`, `secondary` and `tag` of a key's two lanes under a limit. */
  locate(low: number, high: number, salt: Salt): void {
    const place = low ^ salt.saltLow
    const bucket = ((place >>> 0) * (this.buckets / 2 ** 32)) | 0
    this.tag = tagOf(place, high ^ salt.saltHigh)
    this.primary = this.first + LINE * bucket
    this.secondary = this.first + LINE * alternative(bucket, this.tag, this.buckets)
  }

  /** Removes what has long been idle, if that has not been done for a while. Whoever reads a bucket begins so. */
  freshen(bucket: number, nowMs: number): void {
    if (isStale(this.words[bucket] ?? 0, stampAt(nowMs))) this.tidyByStamp(bucket, nowMs)
  }

  /** Takes the lock of a bucket. */
  lock(bucket: number): void {
    takeLock(this.words, bucket)
  }

  /** Gives the lock of a bucket back. */
  unlock(bucket: number): void {
    giveLock(this.words, bucket)
  }

  /** The place of a key in a bucket, or -1. A place is the bucket's word number plus 0 to 5. */
  find(bucket: number, tag: number, id: number): number {
    const words = this.words
    for (let way = 0; way < WAYS; way++) {
      if (words[bucket + TAGS + way] === tag && this.halves[2 * bucket + IDS + way] === id)
        return bucket + way
    }
    return -1
  }

  /** The value in a place, or `LOCKED`. */
  value(place: number): number {
    return Atomics.load(this.words, place + VALUES)
  }

  /** Changes the value in a place; false when it was no longer the one given. */
  swap(place: number, value: number, next: number): boolean {
    const safe = next === LOCKED ? LOCKED + 1 : next
    return Atomics.compareExchange(this.words, place + VALUES, value, safe) === value
  }

  /** Locks the value in a place and returns it; `LOCKED` when somebody else has it. */
  tryLockValue(place: number): number {
    const value = this.value(place)
    return value !== LOCKED && this.lockIf(place, value) ? value : LOCKED
  }

  /** Locks the value in a place, waiting if need be. One whose holder was ended in the middle counts as idle. */
  lockValue(place: number, nowMs: number): number {
    for (let turn = 0; ; turn++) {
      const value = this.tryLockValue(place)
      if (value !== LOCKED) return value
      if (turn > SPINS) Atomics.wait(this.words, place + VALUES, LOCKED, 1)
      if (turn > SPINS + PATIENCE_NAPS) {
        const idle = idleValue(this.registry.form(this.idAt(place)), nowMs)
        Atomics.compareExchange(this.words, place + VALUES, LOCKED, idle)
      }
    }
  }

  /** Sets the value in a place and so gives its lock back. */
  giveValue(place: number, value: number): void {
    Atomics.store(this.words, place + VALUES, value === LOCKED ? LOCKED + 1 : value)
  }

  /** The tag in a place. */
  tagAt(place: number): number {
    return this.words[place + TAGS] ?? 0
  }

  /** The number of the limit in a place; 0: nobody's. */
  idAt(place: number): number {
    return this.halves[idIndex(place)] ?? 0
  }

  /** Gives a place, whose value is locked, to a key or (id 0) to nobody. */
  assign(place: number, tag: number, id: number): void {
    this.words[place + TAGS] = tag
    this.halves[idIndex(place)] = id
  }

  /** How much of its allowance an entry with this value has in use: 0 idle, 1 full. */
  share(place: number, value: number, nowMs: number): number {
    const id = this.idAt(place)
    return id === 0 ? 0 : shareOf(this.registry.form(id), value, nowMs)
  }

  /**
   * The place that a new key gets, both of whose buckets are locked: in its first bucket while that has two free
   * places, else in the emptier one. When both are full, the place of the entry nearest to idle. -1 when all are
   * being worked on.
   */
  vacancy(primary: number, secondary: number, nowMs: number): number {
    if (this.countFree(primary) <= 1) this.tidy(primary, nowMs, 0)
    const here = this.countFree(primary)
    if (here > 1) return this.firstFree(primary)
    if (this.countFree(secondary) <= here) this.tidy(secondary, nowMs, 0)
    const there = this.countFree(secondary)
    if (here + there === 0) return this.nearestIdle(primary, secondary, nowMs)
    return this.firstFree(there > here ? secondary : primary)
  }

  /** Removes all entries of these limits. Goes through the whole table, a bucket at a time. */
  forget(ids: ReadonlySet<number>, nowMs: number): void {
    for (let bucket = this.first; bucket < this.end; bucket += LINE) {
      takeLock(this.words, bucket)
      for (let place = bucket; place < bucket + WAYS; place++) {
        if (!ids.has(this.idAt(place))) continue
        this.lockValue(place, nowMs)
        this.remove(place)
      }
      giveLock(this.words, bucket)
    }
  }

  private countFree(bucket: number): number {
    let count = 0
    for (let place = bucket; place < bucket + WAYS; place++) if (this.isFree(place)) count++
    return count
  }

  private firstFree(bucket: number): number {
    for (let place = bucket; place < bucket + WAYS; place++) if (this.isFree(place)) return place
    return -1
  }

  private isFree(place: number): boolean {
    return this.idAt(place) === 0 && this.words[place + VALUES] !== LOCKED
  }

  private nearestIdle(primary: number, secondary: number, nowMs: number): number {
    let nearest = -1
    let least = Number.POSITIVE_INFINITY
    for (let way = 0; way < 2 * WAYS; way++) {
      const place = way < WAYS ? primary + way : secondary + way - WAYS
      const value = this.value(place)
      const share = value === LOCKED ? least : this.share(place, value, nowMs)
      if (share >= least) continue
      least = share
      nearest = place
    }
    return nearest
  }

  private tidyByStamp(bucket: number, nowMs: number): void {
    const stamp = stampAt(nowMs)
    const head = takeLock(this.words, bucket)
    const before = head >>> 1
    if (stamp < before) this.rewind(bucket, { fromMs: before * STAMP_MS, nowMs })
    else if (stamp > before) this.tidy(bucket, nowMs, unseenMs(head, nowMs))
    Atomics.store(this.words, bucket, stamp << 1)
  }

  /** Removes idle entries; `gapMs` is the time for which nobody may have looked at them. */
  private tidy(bucket: number, nowMs: number, gapMs: number): void {
    for (let place = bucket; place < bucket + WAYS; place++) {
      const id = this.idAt(place)
      const value = this.value(place)
      if (id === 0 || value === LOCKED) continue
      const form = this.registry.form(id)
      if (!isSpent(form, gapMs) && shareOf(form, value, nowMs) > 0) continue
      if (this.lockIf(place, value)) this.remove(place)
    }
  }

  private rewind(bucket: number, clock: { readonly fromMs: number; readonly nowMs: number }): void {
    for (let place = bucket; place < bucket + WAYS; place++) {
      const id = this.idAt(place)
      if (id === 0) continue
      const value = rewound(this.registry.form(id), this.lockValue(place, clock.nowMs), clock)
      if (value === 'idle') this.remove(place)
      else this.giveValue(place, value)
    }
  }

  private lockIf(place: number, value: number): boolean {
    return Atomics.compareExchange(this.words, place + VALUES, value, LOCKED) === value
  }

  private remove(place: number): void {
    this.assign(place, 0, 0)
    this.giveValue(place, 0)
  }
}

function idIndex(place: number): number {
  return 2 * (place & ~(LINE - 1)) + IDS + (place & (LINE - 1))
}
