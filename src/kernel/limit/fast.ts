import { debtTicks, startTicks, waitMs, type Account } from './account.ts'
import { LINE, WAYS, type Layout } from './buffer.ts'
import { tickAt } from './entry.ts'
import type { KeyedHash } from './hash.ts'
import { alternative, IDS, isStale, LOCKED, stampAt, TAGS, tagOf, VALUES } from './table.ts'

/** Told by `FastLane.take` when the long way has to be gone: the key is new, busy or has long not been seen. */
export const LOST = -1

/** An account with what its rule makes of the present time, worked out when the time changes and not for each request. */
export class TimedAccount {
  declare readonly account: Account
  nowMs = -1
  tick = 0
  stamp = 0
  /** What every key owes at least, see `startTicks`. */
  idleTicks = 0
  /** What the key owes that was just taken from; -1: that was not seen here. */
  owedTicks = -1

  constructor(account: Account) {
    this.account = account
  }

  /** Sets the time. */
  advance(nowMs: number): void {
    const { plan } = this.account
    this.nowMs = nowMs
    this.tick = tickAt(plan, nowMs)
    this.stamp = stampAt(nowMs)
    this.idleTicks = startTicks(plan, nowMs)
  }
}

/**
 * Takes units of a rate by one compare-and-swap in one line of the cache; a refusal does not even write.
 *
 * Between finding a place and the swap it could be given to another key. The swap then fails, for a new key's value
 * lies beyond the old one's; equal values by chance (1 in 2^32 of such races) would charge the wrong key once.
 */
export class FastLane {
  declare private readonly words: Int32Array
  declare private readonly halves: Uint16Array
  declare private readonly first: number
  declare private readonly buckets: number
  declare private readonly scale: number

  declare private readonly alone: boolean

  /** `alone`: no other thread works on the table, so that a plain store is enough. */
  constructor(layout: Layout, alone: boolean) {
    this.alone = alone
    this.words = new Int32Array(layout.buffer)
    this.halves = new Uint16Array(layout.buffer)
    this.first = layout.firstBucket
    this.buckets = layout.buckets
    this.scale = layout.buckets / 2 ** 32
  }

  /** 0 when admitted, milliseconds to wait when refused, or `LOST`; the account's time must have been set. */
  take(timed: TimedAccount, key: KeyedHash, cost: number): number {
    timed.owedTicks = -1
    const at = this.locate(timed, key)
    const value = at < 0 ? LOCKED : (this.words[at] ?? LOCKED)
    if (value === LOCKED) return LOST
    const { plan } = timed.account
    const debt = debtTicks(plan, value, timed.tick)
    const price = cost * plan.costTicks
    if (price > plan.horizonTicks) return Number.POSITIVE_INFINITY
    const owed = Math.max(debt, timed.idleTicks) + price
    if (debt > 0 && owed > plan.horizonTicks) return waitMs(plan, owed - plan.horizonTicks)
    if (!this.swap(at, value, (timed.tick + owed) | 0)) return LOST
    timed.owedTicks = owed
    return 0
  }

  /** The word number of the key's value, or -1. */
  private locate(timed: TimedAccount, key: KeyedHash): number {
    const { account } = timed
    const place = key.low ^ account.saltLow
    const tag = tagOf(place, key.high ^ account.saltHigh)
    const bucket = ((place >>> 0) * this.scale) | 0
    const at = this.find(bucket, tag, timed)
    return at >= 0 ? at : this.find(alternative(bucket, tag, this.buckets), tag, timed)
  }

  private find(bucket: number, tag: number, timed: TimedAccount): number {
    const words = this.words
    const at = this.first + LINE * bucket
    if (isStale(words[at] ?? 0, timed.stamp)) return -1
    for (let way = 0; way < WAYS; way++) {
      if (words[at + TAGS + way] !== tag) continue
      if (this.halves[2 * at + IDS + way] === timed.account.id) return at + VALUES + way
    }
    return -1
  }

  private swap(at: number, value: number, next: number): boolean {
    if (next === LOCKED) return false
    if (!this.alone) return Atomics.compareExchange(this.words, at, value, next) === value
    this.words[at] = next
    return true
  }
}
