import {
  createLimiter,
  mostTakes,
  type Limiter,
  type LimitRule,
  type Take,
  type Verdict as KernelVerdict,
} from '../kernel/limit/index.ts'
import { HoldfastError, type Clock, type Random } from '../kernel/std/index.ts'
import { keyText, type Ask, type Entry } from './book.ts'
import type { By, StandingOfRule, Verdict } from './port.ts'
import { sayDryRun, sayRefusal, type Asked } from './because.ts'
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

/** A verdict, with whether a dry run would have refused, and the subject that is to be remembered for it. */
export interface Decision {
  readonly verdict: Verdict
  /** What was taken: nothing when it was refused, and not what a dry run would have refused. */
  readonly taken: Taken
  readonly wouldRefuse: boolean
  readonly by: By
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

  #taken(asks: readonly Ask[]): Taken {
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

  /**
   * The quick way of a limit with one rule, a rate or a calendar limit: the verdict when it admits. Undefined: nothing
   * was taken; `decide` says why not, or decides.
   */
  admit({ entry, by, cost }: Ask): Verdict | undefined {
    const [rule] = entry.rules
    if (!entry.isSimple || rule === undefined) return undefined
    const nowMs = this.#clock.now()
    const key = this.#limiter.hash(keyText(rule, by))
    const waitMs =
      cost === 1
        ? this.#limiter.takeOne(entry.first, key, nowMs)
        : this.#limiter.takeUnits({ limit: entry.first, key, cost }, nowMs)
    if (waitMs > 0) return undefined
    const { remaining, resetsAtMs } = this.#limiter.peekTaken(entry.first, nowMs)
    return {
      admitted: true,
      at: nowMs,
      limit: entry.name,
      rule: entry.texts[0] ?? '',
      retryAfterMs: 0,
      remaining,
      resetsAt: Math.ceil(resetsAtMs),
      because: '',
    }
  }

  /** Takes from all or from none. At least one ask. */
  decide(asks: readonly Ask[]): Decision {
    const taken = this.#taken(asks)
    const { takes, atMs } = taken
    const told = this.#limiter.take(takes, atMs)
    const [dry = -1] = told.wouldRefuse
    if (!told.admitted) return this.#refused(asks, taken, told)
    const { entry, text } = this.#place(told.tightest < 0 ? (takes[0]?.limit ?? -1) : told.tightest)
    const verdict: Verdict = {
      admitted: true,
      at: atMs,
      limit: entry.name,
      rule: text,
      retryAfterMs: 0,
      remaining: told.remaining,
      resetsAt: Math.ceil(told.resetsAtMs),
      because: dry < 0 ? '' : sayDryRun(this.#asked(asks, dry)),
    }
    return {
      verdict,
      taken: this.#kept(taken, told),
      wouldRefuse: dry >= 0,
      by: dry < 0 ? noBy : this.#asked(asks, dry).by,
    }
  }

  /** Writes down what somebody else has admitted; a dry run's counters aside, nobody notices. */
  mirror(ask: Ask): void {
    const { takes, atMs } = this.#taken([ask])
    this.#limiter.take(takes, atMs)
  }

  /** Gives back all that a reservation took. */
  cancel({ takes, atMs }: Taken): void {
    this.#limiter.refund(takes, atMs, this.#clock.now())
  }

  /** Gives back what a reservation took of what goes on at once; the rest was used. */
  release({ takes, atMs }: Taken): void {
    this.#limiter.release(takes, atMs, this.#clock.now())
  }

  /** Gives back units that were taken at `takenAtMs`, default just now; what goes on at once has `release` for that. */
  refund(ask: Ask, takenAtMs?: number): void {
    const { takes, atMs } = this.#taken([ask])
    const counted = takes.filter(({ limit }) => this.#place(limit).rule.kind !== 'concurrency')
    this.#limiter.refund(counted, takenAtMs ?? atMs, atMs)
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
          resetsAt: Math.ceil(standing.resetsAtMs),
        },
      ]
    })
  }

  #refused(
    asks: readonly Ask[],
    { takes, atMs }: Taken,
    { refusedBy, retryAfterMs }: KernelVerdict,
  ): Decision {
    const key = takes.find(({ limit }) => limit === refusedBy)?.key ?? 0
    const { used, limit: most, resetsAtMs } = this.#limiter.peek(refusedBy, key, atMs)
    const asked = this.#asked(asks, refusedBy)
    const verdict: Verdict = {
      admitted: false,
      at: atMs,
      limit: asked.limit,
      rule: asked.text,
      retryAfterMs,
      remaining: 0,
      resetsAt: Math.ceil(resetsAtMs),
      because: sayRefusal({ ...asked, used, most, retryAfterMs }),
    }
    return { verdict, taken: { takes: [], atMs }, wouldRefuse: false, by: asked.by }
  }

  /** A dry run counts what goes on at once, whatever it would have said. */
  #kept({ takes, atMs }: Taken, { wouldRefuse }: KernelVerdict): Taken {
    if (wouldRefuse.length === 0) return { takes, atMs }
    const isCounted = (limit: number): boolean =>
      !wouldRefuse.includes(limit) || this.#place(limit).rule.kind === 'concurrency'
    return { takes: takes.filter(({ limit }) => isCounted(limit)), atMs }
  }

  /** What was asked of the rule of that number. */
  #asked(asks: readonly Ask[], limit: number): Asked {
    const { entry, text, rule } = this.#place(limit)
    const { by, cost } = asks.find((ask) => ask.entry === entry) ?? missing()
    return { limit: entry.name, text, per: rule.per, by, cost }
  }

  #place(limit: number): Place {
    return this.#places[limit] ?? missing()
  }
}

const noBy: By = {}

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
