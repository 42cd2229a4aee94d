import type { NamedLimit } from './account.ts'
import type { Standing } from './peek.ts'
import type { Counts } from './registry.ts'

/** A key as `Limiter.hash` gives it: a whole number of 53 bits. */
export type KeyHash = number

/** One limit to be taken from. */
export interface Take {
  /** Index into the limiter's limits. */
  readonly limit: number
  readonly key: KeyHash
  /** Units, a whole number from 0; default 1. A window gives at most 64 at once. 0: not counted at all. */
  readonly cost?: number
}

/** The answer to `take`. */
export interface Verdict {
  readonly admitted: boolean
  /** Index of the limit that refused, the one with the longest wait if there are several; -1 when admitted. */
  readonly refusedBy: number
  /**
   * Whole milliseconds after which the same take would be admitted if nobody else came; 0 when admitted,
   * Infinity when the cost is more than the limit ever admits. For concurrency a guess (1 s).
   */
  readonly retryAfterMs: number
  /** Units left at this instant under the tightest of the limits that are no dry run; Infinity without any. */
  readonly remaining: number
  /** Index of the tightest limit, or -1. */
  readonly tightest: number
  /** When the tightest limit is as if unused if nobody else comes, or resets; `nowMs` without any. */
  readonly resetsAtMs: number
  /** Indexes of the dry-run limits that would have refused. */
  readonly wouldRefuse: readonly number[]
}

/** What a limiter is made of. */
export interface LimiterOptions {
  readonly limits: readonly NamedLimit[]
  /** Accounts (a key under a limit) that the table holds at once, 1 to 2^26; about 16 bytes each, reserved at once. */
  readonly capacity: number
  /** Two random 32-bit numbers: secret, and the same for all threads. */
  readonly seed: readonly [number, number]
  /** Attach to the buffer of another limiter instead of creating one. */
  readonly buffer?: SharedArrayBuffer
  /**
   * No other thread will ever attach: each decision is a plain store instead of a compare-and-swap, about a quarter
   * faster. A new limiter of the same thread may attach, and has to say the same.
   */
  readonly alone?: boolean
  /**
   * Limits that the buffer remembers, those of former policies included; a window counts twice. Default: four times
   * as many as given, at least 64. Read from the buffer when attaching.
   */
  readonly limitCapacity?: number
}

/** The most limits on one request. */
export const mostTakes = 16
/** The most units that a window gives at once. */
export const mostWindowCost = 64

/**
 * Decides whether something may happen. All times are milliseconds of one clock that all threads share, since 1970
 * or, where no limit is a calendar limit, any other start (0 to 2^43, fractions allowed); it may step back, at worst
 * locking a key for one refill (under a calendar limit for two periods).
 */
export interface Limiter {
  /** Give it to other threads, which attach to it with the same options. */
  readonly buffer: SharedArrayBuffer
  readonly sizeBytes: number
  readonly limits: readonly NamedLimit[]
  /** Hashes a key. Neither keep nor show it: it depends on the seed. */
  hash(text: string): KeyHash
  /** Hashes a binary key. */
  hashBytes(bytes: Uint8Array): KeyHash
  /** Takes from up to 16 limits: from all or from none, in one step as seen by every other thread. */
  take(takes: readonly Take[], nowMs: number): Verdict
  /** Takes 1 from one limit: 0 when admitted, otherwise milliseconds to wait. Rates allocate nothing. */
  takeOne(limit: number, key: KeyHash, nowMs: number): number
  /** As `takeOne`, with the key's text. */
  takeText(limit: number, text: string, nowMs: number): number
  /** As `takeOne`, for any number of units: Infinity when they are more than the limit ever admits. */
  takeUnits(take: Take, nowMs: number): number
  /** Gives back what `take` at `takenAtMs` took from concurrency limits; other limits in the list are passed over. */
  release(takes: readonly Take[], takenAtMs: number, nowMs: number): void
  /**
   * Gives back what was taken at `takenAtMs`, under every kind of limit: leave out what dry runs would have refused.
   * Afterwards nobody gets more than if it had never been taken, so a rate gives back what time has not paid for
   * since, a calendar limit only until its reset, and a window what is among the 128 newest.
   */
  refund(takes: readonly Take[], takenAtMs: number, nowMs: number): void
  /** Prolongs leases taken or renewed at `takenAtMs` (from then on `nowMs` stands for it); false if one had expired. */
  renew(takes: readonly Take[], takenAtMs: number, nowMs: number): boolean
  /** Looks without taking. */
  peek(limit: number, key: KeyHash, nowMs: number): Standing
  /** Right after `takeOne`, `takeText` or `takeUnits` of that limit has admitted: what `peek` says, a rate without looking again. */
  peekTaken(limit: number, nowMs: number): Standing
  /** Per limit, what all threads decided since the buffer exists; a limit keeps its counts when policies change. */
  counters(): readonly Counts[]
  /** Accounts that had to make room while in use, since the buffer exists: much above 0, the capacity is too small. */
  displaced(): number
  /**
   * Call it before letting go of a limiter whose buffer lives on (a new policy, the end of a thread): it makes room
   * among the seven that count without locking. The limiter still works afterwards.
   */
  close(): void
}
