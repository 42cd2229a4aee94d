import type { Clock } from '../kernel/std/index.ts'

/** What a subject is known by: `{ user: '42' }`, `{ guild: 7, channel: 'general' }`. A rule counts by what follows its "per". */
export type By = Readonly<Record<string, string | number>>

/**
 * What happens to takes while control cannot be reached: `local`: this process counts its share of the bound by
 * itself; `open`: everything is admitted; `closed`: everything is refused.
 */
export type WhenAway = 'local' | 'open' | 'closed'

/** A limit: its rule in the notation of limits (`20/hour per user`), several rules that all have to admit, or more. */
export type LimitSetting =
  | string
  | readonly string[]
  | {
      readonly limit: string | readonly string[]
      /** Default `local`. */
      readonly whenAway?: WhenAway
    }

/** Limits by name: lower-case words joined by dots and dashes, `email.send`. */
export type LimitSettings = Readonly<Record<string, LimitSetting>>

/** Where control listens. */
export interface ControlAddress {
  /** Its URL, as `http://127.0.0.1:8400`. */
  readonly url: string
  /** A token that may call `limits.take` and its siblings. */
  readonly token: string
  /** How long a decision waits for control at most, in ms. Default 200. */
  readonly timeoutMs?: number
  /** How long takes are gathered before they are sent together, in ms; 0: until the end of the turn. Default 2. */
  readonly gatherMs?: number
  /** False: never lease units to spend them here. Default true. */
  readonly leases?: boolean
}

/** Where the lines for the operator go. */
export interface Log {
  warn(text: string): void
}

/** How limits are kept. */
export interface LimitsOptions {
  /**
   * Count together with everybody else, in control. Default: the one that the variables `HOLDFAST_URL` and
   * `HOLDFAST_TOKEN` name, as they do in each replica that Holdfast runs; without both, in this process alone. False:
   * in this process alone, whatever they say.
   */
  readonly control?: ControlAddress | false
  /**
   * How many processes of this kind run. Default: what a cluster, PM2 or WEB_CONCURRENCY say, else 1. Without control
   * each of them counts by itself; with control, its share while control is away is a part in that many.
   */
  readonly processes?: number
  /** Default: lines on standard error. */
  readonly log?: Log
  /** Accounts (a subject under a rule) that are remembered at once, about 16 bytes each; 1 to 2^26. Default 65,536. */
  readonly capacity?: number
  /** Refusals that `explain` remembers, 0 to 100,000. Default 500. */
  readonly remembered?: number
  /** Time; default the machine's. */
  readonly clock?: Clock
}

/** How much a take asks for. */
export interface TakeOptions {
  /** Units, a whole number from 1 on; default 1. */
  readonly cost?: number
  /** Makes a take that is sent twice count once; control keeps it for a day. Default: one of its own. */
  readonly id?: string
}

/** How a reservation is made. */
export interface ReserveOptions extends TakeOptions {
  /** When it is given back by itself, in ms from now, 1 s to 1 day; default 60 s. */
  readonly leaseMs?: number
}

/** The answer to a take. */
export interface Verdict {
  readonly admitted: boolean
  /** When it was decided, in ms since 1970. */
  readonly at: number
  readonly limit: string
  /** The rule that refused, or the tightest one, in the notation. */
  readonly rule: string
  /** Whole milliseconds after which the same take may be admitted; 0: admitted; Infinity: it never will be. */
  readonly retryAfterMs: number
  /** Units left; with a lease from control those that this process may still spend by itself. */
  readonly remaining: number
  /** When everything is as if unused if nobody comes, in ms since 1970. */
  readonly resetsAt: number
  /** Why it was refused, or would have been by a dry run, in a sentence; else empty. */
  readonly because: string
}

/** The end of a reservation. When it has ended already, or never was, nothing happens. */
export interface Reservation {
  readonly id: string
  /** It was used. What goes on at once is over with that; of other limits `cost` says how much was, default all. */
  commit(cost?: number): Promise<void>
  /** It was not used: everything is given back. */
  cancel(): Promise<void>
}

/** A reservation, or why there is none: then `commit` and `cancel` do nothing. */
export interface Held extends Verdict, Reservation {
  /** When it is given back by itself, in ms since 1970. */
  readonly endsAt: number
}

/** One of several takes. */
export interface NamedTake<Name extends string = string> extends TakeOptions {
  readonly limit: Name
  readonly by: By
}

/** A refusal that is remembered. */
export interface Refusal {
  /** In ms since 1970. */
  readonly at: number
  readonly limit: string
  readonly rule: string
  readonly by: By
  readonly retryAfterMs: number
  readonly because: string
  /** False for a dry run. */
  readonly refused: boolean
}

/** How a subject stands under one rule. */
export interface StandingOfRule {
  readonly limit: string
  readonly rule: string
  readonly used: number
  readonly most: number
  /** In ms since 1970. */
  readonly resetsAt: number
}

/** Why a subject was refused. */
export interface Explanation {
  /** The newest first. */
  readonly refusals: readonly Refusal[]
  /** Every rule that counts by nothing else than the subject, as this process counts it. */
  readonly standing: readonly StandingOfRule[]
}

/** A rule of a limit as doors need it. */
export interface RuleFacts {
  /** In the notation. */
  readonly text: string
  /** Units per `windowMs`, or at once when that is 0. */
  readonly count: number
  readonly windowMs: number
  readonly per: readonly string[]
  readonly kind: 'rate' | 'window' | 'calendar' | 'concurrency'
  /** Whether a take may wait before it is refused. */
  readonly queues: boolean
}

/** The limits of an application. A refusal is a value; what is thrown is a mistake in the call. */
export interface Limits<Name extends string = string> {
  /** Whether this process counts by itself, without control. */
  readonly isLocal: boolean
  /**
   * Takes from a limit.
   *
   * @throws HoldfastError `limit.unknown`, `limit.no-value` (a dimension is missing), `limit.invalid-cost`
   */
  take(limit: Name, by: By, options?: TakeOptions): Promise<Verdict>
  /**
   * Takes from up to 16 rules together, in one step: from all or from none; the verdict is of the one that refused or
   * is tightest. Sent twice it counts once when each take has its id again.
   */
  takeAll(takes: readonly NamedTake<Name>[]): Promise<Verdict>
  /** Takes without waiting for anybody: in this process alone, never through a queue. */
  takeNow(limit: Name, by: By, options?: TakeOptions): Verdict
  /** As `takeAll` and `takeNow`. */
  takeAllNow(takes: readonly NamedTake<Name>[]): Verdict
  /** Takes for the time being. */
  reserve(limit: Name, by: By, options?: ReserveOptions): Promise<Held>
  /**
   * A reservation by its id, so that it can be ended where it was not made: with control by every process, without
   * control by this one.
   */
  resume(id: string): Reservation
  /** Gives back what was taken and not used: a mail that was never sent. */
  refund(limit: Name, by: By, options?: TakeOptions): Promise<void>
  /** Why a subject was refused lately, and how it stands. Without a subject: everybody's refusals. */
  explain(by?: By): Explanation
  /** The rules of a limit. */
  rules(limit: Name): readonly RuleFacts[]
  /** Gives leases back and lets go of control; further takes are decided in this process alone. */
  close(): Promise<void>
}
