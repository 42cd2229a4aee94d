import type { KeyHash, Limiter } from '../../../../kernel/limit/index.ts'
import type { SharedCounters } from '../shared-counters/index.ts'
import type { Countable } from '../../pipeline/index.ts'
import type { PreparedLimit } from './prepared-limits.ts'
import type { SharedLimits } from './shared-limits.ts'

/** Those who are refused at once; more are not remembered, and their errors are counted all the same. */
const mostRefused = 10_000
/** Those for whom the store was asked lately; of more the ones asked for longest ago are forgotten, and asked for again. */
const mostLooked = 10_000
/** So often the store is asked whether somebody has used up a limit on another edge. */
const lookEveryMs = 1000

/** Who causes too many errors is refused for a while. */
export interface ErrorBook {
  /** The limit that is used up, and how long still; null: none is. */
  refusalFor(
    countable: Countable,
    nowMs: number,
  ): { readonly limit: PreparedLimit; readonly waitMs: number } | null
  /** Counts an answer of class 4xx or 5xx. */
  charge(countable: Countable, nowMs: number): void
}

/**
 * Creates the book of one thread: all threads count together, and each knows whom it has to refuse. Where edges share a
 * limit, an error is told to the store behind the answer, and the store is asked once a second about those who come, which
 * delays nobody.
 */
export function createErrorBook(
  limiter: Limiter,
  limits: readonly PreparedLimit[],
  shared: SharedLimits | null = null,
): ErrorBook {
  const books = limits.map((limit) => createBook(limit, shared))
  return {
    refusalFor: (countable, nowMs) => {
      for (const { limit, until, store } of books) {
        if (until.size === 0 && store === null) continue
        const key = limit.keyOf(countable)
        const untilMs = until.get(key) ?? 0
        if (untilMs > nowMs) return { limit, waitMs: untilMs - nowMs }
        if (untilMs > 0) until.delete(key)
        store?.look({ key, text: limit.textOf(countable), nowMs })
      }
      return null
    },
    charge: (countable, nowMs) => {
      for (const { limit, until, store } of books) {
        const key = limit.keyOf(countable)
        const waitMs = limiter.takeOne(limit.index, key, nowMs)
        if (waitMs > 0) remember(until, key, { nowMs, untilMs: nowMs + waitMs })
        else store?.charge({ key, text: limit.textOf(countable), nowMs })
      }
    },
  }
}

/** Whom one limit refuses; `store`: what other edges know of it. */
interface Book {
  readonly limit: PreparedLimit
  readonly until: Map<KeyHash, number>
  readonly store: StoreBook | null
}

function createBook(limit: PreparedLimit, shared: SharedLimits | null): Book {
  const until = new Map<KeyHash, number>()
  const place = shared?.places.get(limit.index)
  if (shared === null || place === undefined || limit.isDryRun) return { limit, until, store: null }
  const refuse = ({ key, nowMs }: Who, waitMs: number): void => {
    if (waitMs > 0) remember(until, key, { nowMs, untilMs: nowMs + waitMs })
  }
  return { limit, until, store: new StoreBook(shared.counters, place, refuse) }
}

interface Who {
  readonly key: KeyHash
  /** The key as it is the same on all edges. */
  readonly text: string
  readonly nowMs: number
}

/** Tells the store what was done here, and asks it what was done elsewhere. */
class StoreBook {
  readonly #counters: SharedCounters
  readonly #place: number
  readonly #refuse: (who: Who, waitMs: number) => void
  /** When the store is to be asked again, those asked for longest ago first. */
  readonly #dueMs = new Map<KeyHash, number>()

  constructor(counters: SharedCounters, place: number, refuse: (who: Who, waitMs: number) => void) {
    this.#counters = counters
    this.#place = place
    this.#refuse = refuse
  }

  look(who: Who): void {
    const { key, text, nowMs } = who
    if (!this.#counters.isUp || (this.#dueMs.get(key) ?? 0) > nowMs) return
    this.#dueMs.delete(key)
    if (this.#dueMs.size >= mostLooked) this.#dropOldest()
    this.#dueMs.set(key, nowMs + lookEveryMs)
    void this.#counters
      .peek(this.#place, text, nowMs)
      .then(({ retryAfterMs }) => this.#refuse(who, retryAfterMs))
  }

  charge(who: Who): void {
    const verdict = this.#counters.take([{ limit: this.#place, key: who.text }], who.nowMs)
    if (!(verdict instanceof Promise)) return this.#refuse(who, verdict.retryAfterMs)
    void verdict.then(({ retryAfterMs }) => this.#refuse(who, retryAfterMs))
  }

  #dropOldest(): void {
    for (const key of this.#dueMs.keys()) {
      this.#dueMs.delete(key)
      return
    }
  }
}

function remember(
  until: Map<KeyHash, number>,
  key: KeyHash,
  { nowMs, untilMs }: { readonly nowMs: number; readonly untilMs: number },
): void {
  if (until.size >= mostRefused) {
    for (const [known, time] of until) if (time <= nowMs) until.delete(known)
  }
  if (until.size < mostRefused) until.set(key, untilMs)
}
