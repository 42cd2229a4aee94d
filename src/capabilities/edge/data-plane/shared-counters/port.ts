import type { Counts, Limiter, NamedLimit, Standing, Take, Verdict } from '../../../../kernel/limit/index.ts'
import type { Clock, Random } from '../../../../kernel/std/index.ts'
import type { CounterAsk, CounterStore } from '../../ports.ts'
import type { Sharing } from './overshoot.ts'

/** What becomes of requests while the store does not answer: the edge's own share, everything or nothing. */
export type WhenDown = 'local-share' | 'open' | 'closed'

/** A limit that several edges share. */
export interface SharedLimit extends NamedLimit {
  readonly whenDown: WhenDown
  /** Otherwise than the others. */
  readonly mode?: Sharing['mode'] | undefined
}

/** One shared limit to be taken from. */
export interface SharedTake {
  /** Index into the limits. */
  readonly limit: number
  /** For whom, any text; the same on all edges. */
  readonly key: string
  /** Units, a whole number from 1; default 1. A window gives at most 16 at once. */
  readonly cost?: number
}

/** Places held under limits of the kind "at once", in the store or, if that was not there, on this edge alone. */
export interface SharedLease {
  readonly asks: readonly CounterAsk[]
  readonly alone: readonly Take[]
  takenAtMs: number
}

/** The answer to a take. */
export interface SharedVerdict extends Verdict {
  /** To be given back at the end; null: nothing to give back. */
  readonly lease: SharedLease | null
}

/** What shared counters are made of. */
export interface SharedParts {
  readonly limits: readonly SharedLimit[]
  readonly sharing: Sharing
  readonly store: CounterStore
  /** This edge's own limits, in the same order, each with the rule that `localShare` says. */
  readonly alone: Limiter
  readonly clock: Clock
  readonly random: Random
  /** Called when the store is lost, with the reason, and when it is back, with an empty text. */
  readonly onChange: (isUp: boolean, why: string) => void
}

/**
 * Limits that several edges share; one for each thread. `nowMs` is wall-clock time and matters only for what is counted on
 * this edge alone.
 */
export interface SharedCounters {
  /**
   * Takes from all limits or from none, in at most one round trip. Answers at once when nothing has to be asked: a slice is
   * held, a refusal stands, or the store is known not to answer. Never rejects and never takes longer than the store's
   * time-out.
   */
  take(takes: readonly SharedTake[], nowMs: number): SharedVerdict | Promise<SharedVerdict>
  /** Gives places back; what cannot be said to the store ends by itself. */
  release(lease: SharedLease, nowMs: number): void
  /** Prolongs a lease; false if it had expired or the store did not answer. */
  renew(lease: SharedLease, nowMs: number): Promise<boolean>
  /** Looks without taking; slices that threads hold count as used. */
  peek(limit: number, key: string, nowMs: number): Promise<Standing>
  /** Whether the store is asked at all. */
  readonly isUp: boolean
  /** Per limit, what this thread decided since it exists. */
  counts(): readonly Counts[]
  /** Takes a refusal out of the counts: whoever was refused waits and asks again. */
  forgive(limit: number): void
  /** See `CounterStore`. */
  setPassword(password: string): void
  /** Keeps the store open for somebody who goes on asking; what is answered ends that. */
  hold(): () => void
  /** From now on nothing is told, and when nobody holds anything any more it is closed. */
  retire(): void
  /** Closes the store too. */
  close(): void
}
