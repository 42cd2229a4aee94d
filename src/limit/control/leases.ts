import { uuidv7, type Clock, type Random } from '../../kernel/std/index.ts'
import type { Ask } from '../book.ts'
import type { Verdict } from '../port.ts'
import { readGrant } from './answers.ts'
import {
  clearLeases,
  cold,
  noteAsked,
  noteRefusal,
  refusalOf,
  spend,
  unitsToLease,
  type Hot,
  type Lease,
} from './hot.ts'
import type { Post } from './post.ts'
import type { Reach } from './reach.ts'
import { subjectText, wireBy } from './wire.ts'

/** What leases need. */
export interface LeaseParts {
  readonly post: Post
  readonly reach: Reach
  readonly clock: Clock
  readonly random: Random
}

const mostSubjects = 10_000
const forgetAfterMs = 10_000
const restMs = 1000
const sweepMs = 100
/** Given back that early, so that control gets it while it still counts. */
const earlyMs = 50

/**
 * Takes of busy subjects, decided here: control leases units for about a second's need, which are spent in
 * microseconds; what is left at the end goes back. Rates, windows and calendars only, for what goes on at once is no stock.
 */
export class Leases {
  readonly #parts: LeaseParts
  readonly #subjects = new Map<string, { readonly ask: Ask; readonly hot: Hot }>()
  /** Leases that are asked for. */
  readonly #asking = new Set<Promise<void>>()
  readonly #stop: () => void

  constructor(parts: LeaseParts) {
    this.#parts = parts
    this.#stop = parts.clock.every(sweepMs, () => void this.#sweep())
  }

  /** The verdict, if it can be had here; undefined: ask control. */
  decide(ask: Ask): Verdict | undefined {
    const nowMs = this.#parts.clock.now()
    const hot = this.#hot(ask, nowMs)
    if (hot === undefined) return undefined
    noteAsked(hot, ask.cost, nowMs)
    const units = unitsToLease(hot, smallestBound(ask), nowMs)
    if (units > 0) this.#ask(ask, hot, units)
    const isSpent = spend(hot, ask.cost, nowMs) || this.#spendNext(ask, hot, nowMs)
    return isSpent ? admittedBy(ask, hot, nowMs) : refusalOf(hot, ask.cost, nowMs)
  }

  /** The refusal of control's that still holds. */
  refusal(ask: Ask): Verdict | undefined {
    const nowMs = this.#parts.clock.now()
    const hot = this.#hot(ask, nowMs)
    return hot && refusalOf(hot, ask.cost, nowMs)
  }

  /** Control has decided about a take. */
  decided(ask: Ask, verdict: Verdict): void {
    const hot = this.#subjects.get(subjectText(ask))?.hot
    if (hot === undefined) return
    if (verdict.admitted) hot.refusal = undefined
    else noteRefusal(hot, verdict, { cost: ask.cost, nowMs: this.#parts.clock.now() })
  }

  /** Something was given back: refusals of that subject no longer hold. */
  refunded(ask: Ask): void {
    const hot = this.#subjects.get(subjectText(ask))?.hot
    if (hot !== undefined) hot.refusal = undefined
  }

  /** Gives everything back, what is just being asked for included. */
  async close(): Promise<void> {
    this.#stop()
    await Promise.all(this.#asking)
    const rest = [...this.#subjects.values()].flatMap(({ ask, hot }) =>
      [hot.lease, hot.next].map((lease) => this.#giveBack(ask, lease)),
    )
    this.#subjects.clear()
    await Promise.all(rest)
  }

  #hot(ask: Ask, nowMs: number): Hot | undefined {
    if (ask.entry.rules.some(({ kind }) => kind === 'concurrency')) return undefined
    const text = subjectText(ask)
    const known = this.#subjects.get(text)?.hot
    if (known !== undefined || this.#subjects.size >= mostSubjects) return known
    const hot = cold(nowMs)
    this.#subjects.set(text, { ask, hot })
    return hot
  }

  /** The next lease takes over from one that is over or holds too little. */
  #spendNext(ask: Ask, hot: Hot, nowMs: number): boolean {
    if (hot.next === undefined) return false
    void this.#giveBack(ask, hot.lease)
    hot.lease = hot.next
    hot.next = undefined
    return spend(hot, ask.cost, nowMs)
  }

  #ask(ask: Ask, hot: Hot, units: number): void {
    if (!this.#parts.reach.mayCall()) return
    const asking = this.#lease(ask, hot, units).finally(() => this.#asking.delete(asking))
    this.#asking.add(asking)
  }

  async #lease(ask: Ask, hot: Hot, units: number): Promise<void> {
    const { post, reach, clock, random } = this.#parts
    hot.isAsking = true
    const input = { limit: ask.entry.name, by: wireBy(ask), units, id: uuidv7(clock, random) }
    const answer = await post.call('limits.lease', input)
    hot.isAsking = false
    if (answer.kind === 'away') reach.failed(answer.because, answer.retryAfterMs)
    else reach.answered()
    const grant = answer.kind === 'done' ? readGrant(answer.body) : null
    if (grant === null || grant.granted === 0) {
      hot.restUntilMs = clock.now() + restMs * (0.5 + random.next())
      return
    }
    const lease = { left: grant.granted, granted: grant.granted, untilMs: grant.untilMs }
    if (this.#subjects.get(subjectText(ask))?.hot !== hot) await this.#giveBack(ask, lease)
    else if (hot.lease === undefined) hot.lease = lease
    else hot.next = lease
  }

  async #sweep(): Promise<void> {
    const nowMs = this.#parts.clock.now()
    const rest: Promise<void>[] = []
    for (const [text, { ask, hot }] of this.#subjects) {
      for (const lease of clearLeases(hot, nowMs + earlyMs)) rest.push(this.#giveBack(ask, lease))
      const isIdle = nowMs - hot.sinceMs > forgetAfterMs && !hot.isAsking && hot.lease === undefined
      if (isIdle) this.#subjects.delete(text)
    }
    await Promise.all(rest)
  }

  /** When control is away, what is left is lost: that errs on the safe side. */
  async #giveBack(ask: Ask, lease: Lease | undefined): Promise<void> {
    if (lease === undefined || lease.left === 0) return
    const { post, reach, clock, random } = this.#parts
    const cost = lease.left
    lease.left = 0
    if (!reach.mayCall()) return
    const input = { limit: ask.entry.name, by: wireBy(ask), cost, id: uuidv7(clock, random) }
    const answer = await post.call('limits.refund', input)
    if (answer.kind === 'away') reach.failed(answer.because, answer.retryAfterMs)
    else reach.answered()
  }
}

function smallestBound({ entry }: Ask): number {
  return Math.min(...entry.rules.map(({ count, burst }) => Math.min(count, burst)))
}

function admittedBy({ entry }: Ask, hot: Hot, at: number): Verdict {
  return {
    admitted: true,
    at,
    limit: entry.name,
    rule: entry.texts[0] ?? '',
    retryAfterMs: 0,
    remaining: hot.lease?.left ?? 0,
    resetsAt: hot.lease?.untilMs ?? 0,
    because: '',
  }
}
