import type { KeyHash, Limiter, LimitRule, Take, Verdict } from '../../../../kernel/limit/index.ts'
import type { Countable } from '../../pipeline/index.ts'
import { banned, type OffenderBook, type Sighting } from './book.ts'
import { Sampler } from './senders.ts'

/** A limit as a watch looks at it. */
export interface Watched {
  readonly index: number
  readonly subjectOf: (from: Countable) => string
  /** Units in use from which on somebody is near; Infinity: the limit is so small that whoever uses it is. */
  readonly nearFrom: number
}

/** Who asks, and when. */
interface Asking {
  readonly countable: Countable
  readonly nowMs: number
}

const nearShare = 0.8
/** Of a limit of fewer units four fifths are in use as soon as it is used as it is meant to be. */
const fewestUnits = 5
/** How a limit stands is looked up for one admitted request in so many. */
const sampleEvery = 8

/** From how many units in use on a rule's subject is near to being refused. */
export function nearUnits({ kind, burst, count }: LimitRule): number {
  const most = kind === 'rate' ? burst : count
  return most < fewestUnits ? Number.POSITIVE_INFINITY : Math.ceil(nearShare * most)
}

/** Looks over the shoulder of the limits of one route, and writes into the book of the thread. */
export class Watch {
  readonly #book: OffenderBook
  readonly #limiter: Limiter
  /** Slot of the counters. */
  readonly #route: number
  readonly #sampler: Sampler
  #turn = 0

  constructor(book: OffenderBook, limiter: Limiter, route: number) {
    this.#book = book
    this.#limiter = limiter
    this.#route = route
    this.#sampler = new Sampler(book.senders)
  }

  /** Somebody asks for the route. */
  came(countable: Countable): void {
    const requests = this.#sampler.next()
    if (requests > 0) this.#book.senders.add(this.#route, countable, { requests, keys: this.#limiter })
  }

  /** One limit was asked alone. */
  decided(
    limit: Watched,
    { key, isAdmitted }: { readonly key: KeyHash; readonly isAdmitted: boolean },
    from: Asking,
  ): void {
    if (isAdmitted) this.#admitted(limit, key, from)
    else this.#book.refuse(this.#sighting(limit, key, from))
  }

  /** Several limits were asked at once. A refusal counts for the one that refused, an admission for all. */
  decidedAll(
    limits: readonly Watched[],
    { takes, verdict }: { readonly takes: readonly Take[]; readonly verdict: Verdict },
    from: Asking,
  ): void {
    for (const [place, limit] of limits.entries()) {
      const key = takes[place]?.key ?? 0
      if (verdict.wouldRefuse.includes(limit.index)) this.#book.wouldRefuse(this.#sighting(limit, key, from))
      if (verdict.admitted) this.#admitted(limit, key, from)
      else if (verdict.refusedBy === limit.index) this.#book.refuse(this.#sighting(limit, key, from))
    }
  }

  /** Somebody who is banned was refused. */
  banned(subject: string): void {
    const key = this.#limiter.hash(subject)
    this.#book.refuse({ limit: banned, key, route: this.#route, subject: () => subject })
  }

  #admitted(limit: Watched, key: KeyHash, from: Asking): void {
    this.#book.admit(limit.index, key, this.#route)
    this.#turn = (this.#turn + 1) % sampleEvery
    if (this.#turn === 0 && limit.nearFrom < Number.POSITIVE_INFINITY) this.#look(limit, key, from)
  }

  #look(limit: Watched, key: KeyHash, from: Asking): void {
    const { used, limit: most } = this.#limiter.peek(limit.index, key, from.nowMs)
    if (used >= limit.nearFrom) this.#book.near(this.#sighting(limit, key, from), used / most)
  }

  #sighting({ index, subjectOf }: Watched, key: KeyHash, { countable }: Asking): Sighting {
    return { limit: index, key, route: this.#route, subject: () => subjectOf(countable) }
  }
}
