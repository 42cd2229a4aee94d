import type { KeyHash, Limiter } from '../../../../kernel/limit/index.ts'
import type { Countable } from '../../pipeline/index.ts'
import type { PreparedLimit } from './prepared-limits.ts'

/** Those who are refused at once; more are not remembered, and their errors are counted all the same. */
const mostRefused = 10_000

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

/** Creates the book of one thread: all threads count together, and each knows whom it has to refuse. */
export function createErrorBook(limiter: Limiter, limits: readonly PreparedLimit[]): ErrorBook {
  const books = limits.map((limit) => ({ limit, until: new Map<KeyHash, number>() }))
  return {
    refusalFor: (countable, nowMs) => {
      for (const { limit, until } of books) {
        if (until.size === 0) continue
        const key = limit.keyOf(countable)
        const untilMs = until.get(key)
        if (untilMs === undefined) continue
        if (untilMs > nowMs) return { limit, waitMs: untilMs - nowMs }
        until.delete(key)
      }
      return null
    },
    charge: (countable, nowMs) => {
      for (const { limit, until } of books) {
        const key = limit.keyOf(countable)
        const waitMs = limiter.takeOne(limit.index, key, nowMs)
        if (waitMs > 0) remember(until, key, { nowMs, untilMs: nowMs + waitMs })
      }
    },
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
