import {
  createLimiter,
  mostTakes,
  type Limiter,
  type LimitRule,
  type Standing,
  type Take,
} from '../kernel/limit/index.ts'
import { HoldfastError, type Clock, type Random } from '../kernel/std/index.ts'
import { keyText, type Ask, type Entry } from './book.ts'
import type { By, StandingOfRule, Verdict } from './port.ts'
import { sayDryRun, sayRefusal } from './because.ts'
import { shareOf } from './processes.ts'

/** What the engine is made of. */
export interface EngineOptions {
  readonly capacity: number
  readonly clock: Clock
  readonly random: Random
  /** Keeps this part of each bound: one in so many; 1 keeps all of it. */
  readonly share: number
}

/** What was taken, so that it can be given back. */
export interface Taken {
  readonly takes: readonly Take[]
  readonly atMs: number
}

/** A verdict, with whether a dry run would have refused and the ask that decided. */
export interface Decision {
  readonly verdict: Verdict
  readonly wouldRefuse: boolean
  readonly ask: Ask
}

/** A rule with its limit, by its number in the engine. */
interface Place {
  readonly entry: Entry
  readonly rule: LimitRule
  readonly text: string
}

/** The limits of the book in a table of this process. */
export class Engine {
  readonly #limiter: Limiter
  readonly #clock: Clock
  readonly #places: readonly Place[]

  constructor(entries: readonly Entry[], { capacity, clock, random, share }: EngineOptions) {
    this.#clock = clock
    this.#places = entries.flatMap((entry) =>
      entry.rules.map((rule, index) => ({
        entry,
        rule: share === 1 ? rule : shareOf(rule, share),
        text: entry.texts[index] ?? '',
      })),
    )
    this.#limiter = createLimiter({
      limits: this.#places.map(({ entry, rule, text }) => ({ name: `${entry.name} ${text}`, rule })),
      capacity,
      seed: [word(random), word(random)],
      alone: true,
    })
  }

  /** What an ask takes from the table. */
  taken(asks: readonly Ask[]): Taken {
    const takes = asks.flatMap(({ entry, by, cost }) =>
      entry.rules.map((rule, index) => ({
        limit: entry.first + index,
        key: this.#limiter.hash(keyText(rule, by)),
        cost,
      })),
    )
    if (takes.length > mostTakes) throw tooManyRules(takes.length)
    return { takes, atMs: this.#clock.now() }
  }

  /** Takes from all or from none. At least one ask. */
  decide(asks: readonly Ask[], taken = this.taken(asks)): Decision {
    const { takes, atMs } = taken
    const { admitted, refusedBy, retryAfterMs, remaining, tightest, wouldRefuse } = this.#limiter.take(
      takes,
      atMs,
    )
    const [dry = -1] = wouldRefuse
    const decisive = admitted ? (tightest < 0 ? (takes[0]?.limit ?? 0) : tightest) : refusedBy
    const told = !admitted || dry < 0 ? decisive : dry
    const { entry, text, rule } = this.#place(told)
    const ask = asks.find((each) => each.entry === entry) ?? missing()
    const standing = this.#standing(takes, decisive, atMs)
    const verdict = {
      admitted,
      limit: this.#place(decisive).entry.name,
      rule: this.#place(decisive).text,
      retryAfterMs,
      remaining: admitted ? remaining : 0,
      resetsAt: Math.ceil(atMs + standing.resetMs),
      because: '',
    }
    if (admitted && dry < 0) return { verdict, wouldRefuse: false, ask }
    const says = { limit: entry.name, text, per: rule.per, by: ask.by, cost: ask.cost }
    const because = admitted
      ? sayDryRun(says)
      : sayRefusal({ ...says, used: standing.used, most: standing.limit, retryAfterMs })
    return { verdict: { ...verdict, because }, wouldRefuse: admitted, ask }
  }

  /** Writes down what somebody else has admitted; a dry run's counters aside, nobody notices. */
  mirror(ask: Ask): void {
    const { takes, atMs } = this.taken([ask])
    this.#limiter.take(takes, atMs)
  }

  /** Gives back units of rates, windows and calendars, at most what is in use. */
  refund(ask: Ask): void {
    const { takes, atMs } = this.taken([ask])
    this.#limiter.refund(takes, atMs)
  }

  /** Gives back what goes on at once. */
  release({ takes, atMs }: Taken): void {
    this.#limiter.release(takes, atMs, this.#clock.now())
  }

  /** Prolongs what goes on at once; undefined when it had expired. */
  prolong({ takes, atMs }: Taken): Taken | undefined {
    const nowMs = this.#clock.now()
    return this.#limiter.renew(takes, atMs, nowMs) ? { takes, atMs: nowMs } : undefined
  }

  /** How a subject stands under each rule that counts by nothing else. */
  standings(by: By): readonly StandingOfRule[] {
    const nowMs = this.#clock.now()
    return this.#places.flatMap(({ entry, rule, text }, limit) => {
      if (!rule.per.every((dimension) => by[dimension] !== undefined)) return []
      const standing = this.#limiter.peek(limit, this.#limiter.hash(keyText(rule, by)), nowMs)
      return [
        {
          limit: entry.name,
          rule: text,
          used: standing.used,
          most: standing.limit,
          resetsAt: Math.ceil(nowMs + standing.resetMs),
        },
      ]
    })
  }

  #standing(takes: readonly Take[], limit: number, nowMs: number): Standing {
    const take = takes.find((each) => each.limit === limit)
    return this.#limiter.peek(limit, take?.key ?? 0, nowMs)
  }

  #place(limit: number): Place {
    return this.#places[limit] ?? missing()
  }
}

function word(random: Random): number {
  return Buffer.from(random.bytes(4)).readInt32LE()
}

function missing(): never {
  throw new HoldfastError({ code: 'kernel.assertion-failed', kind: 'bug', message: 'a rule without a limit' })
}

function tooManyRules(rules: number): HoldfastError {
  return new HoldfastError({
    code: 'limit.too-many',
    kind: 'user',
    message: `A take cannot take from ${rules} rules at once.`,
    hint: `At most ${mostTakes}, those of all its limits together.`,
  })
}
