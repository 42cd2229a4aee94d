import type { KeyHash } from '../../../../kernel/limit/index.ts'
import { SenderBook } from './senders.ts'
import { Sketch } from './sketch.ts'

/** Stands in place of a limit when a ban refuses. */
export const banned = -1

/** Whoever a limit refused, as a thread saw it. */
export interface Offender {
  /** Index of the limit, or `banned`. */
  readonly limit: number
  readonly subject: string
  readonly refused: number
  readonly admitted: number
  readonly wouldRefuse: number
  /** By slot of the counters; -1: of others than the first eight. */
  readonly routes: readonly { readonly slot: number; readonly admitted: number; readonly refused: number }[]
}

/** Whoever came near a limit that did not refuse it, as a thread saw it. */
export interface NearMiss {
  readonly limit: number
  readonly subject: string
  /** How often it was seen there. */
  readonly seen: number
  /** Largest share of the limit in use, 0.8 to 1. */
  readonly share: number
}

/** A key under a limit, and the route by which it came. */
export interface Sighting {
  readonly limit: number
  readonly key: KeyHash
  readonly route: number
  /** Called when the text is wanted, which is once for a slot. */
  readonly subject: () => string
}

/** Subjects of one thread that are remembered at once. */
export const mostOffenders = 256
const mostNear = 64
/** Routes that are told apart for a subject. */
const mostRoutes = 8
const longestSubject = 200

/**
 * Whom the limits of a policy refused, in one thread. Fixed memory; a request of somebody who has no slot costs one
 * look into a small table. What it says of a subject is counted from when that got its slot, so it is never too much;
 * it is too little by at most 1/256 of all refusals, see `Sketch`.
 */
export class OffenderBook {
  /** Who sent most, refused or not. */
  readonly senders = new SenderBook()
  readonly #sketch = new Sketch(mostOffenders)
  readonly #near = new Sketch(mostNear)
  readonly #subjects: string[] = []
  readonly #nearSubjects: string[] = []
  readonly #limits = new Int32Array(mostOffenders)
  readonly #nearLimits = new Int32Array(mostNear)
  readonly #shares = new Float64Array(mostNear)
  readonly #wouldRefuse = new Float64Array(mostOffenders)
  /** Slot of the counters plus 1; 0: free. The last place is for all further routes. */
  readonly #routes = new Int32Array(mostOffenders * (mostRoutes + 1))
  readonly #admitted = new Float64Array(mostOffenders * (mostRoutes + 1))
  readonly #refused = new Float64Array(mostOffenders * (mostRoutes + 1))

  /** Counts a request that was admitted. */
  admit(limit: number, key: KeyHash, route: number): void {
    if (this.#sketch.size === 0) return
    const slot = this.#sketch.find(limit, key)
    if (slot >= 0) increment(this.#admitted, this.#place(slot, route))
  }

  /** Counts a refusal. */
  refuse(sighting: Sighting): void {
    increment(this.#refused, this.#place(this.#slotOf(sighting), sighting.route))
  }

  /** Counts what a dry run would have refused. */
  wouldRefuse(sighting: Sighting): void {
    increment(this.#wouldRefuse, this.#slotOf(sighting))
  }

  /** Notes that somebody had this share of a limit in use. */
  near({ limit, key, subject }: Sighting, share: number): void {
    const slot = this.#near.add(limit, key)
    if (this.#near.isFresh) {
      this.#nearSubjects[slot] = subject().slice(0, longestSubject)
      this.#nearLimits[slot] = limit
      this.#shares[slot] = 0
    }
    this.#shares[slot] = Math.max(share, this.#shares[slot] ?? 0)
  }

  /** Takes what was counted since the last call. */
  take(): { readonly offenders: readonly Offender[]; readonly nearMisses: readonly NearMiss[] } {
    const offenders = Array.from({ length: this.#sketch.size }, (_, slot) => this.#offender(slot))
    const nearMisses = Array.from({ length: this.#near.size }, (_, slot) => this.#nearMiss(slot))
    for (const counts of [this.#wouldRefuse, this.#routes, this.#admitted, this.#refused, this.#shares]) {
      counts.fill(0)
    }
    this.#sketch.restart()
    this.#near.restart()
    return {
      offenders: offenders.filter(({ refused, wouldRefuse }) => refused + wouldRefuse > 0),
      nearMisses: nearMisses.filter(({ seen }) => seen > 0),
    }
  }

  #slotOf({ limit, key, subject }: Sighting): number {
    const slot = this.#sketch.add(limit, key)
    if (!this.#sketch.isFresh) return slot
    this.#subjects[slot] = subject().slice(0, longestSubject)
    this.#limits[slot] = limit
    this.#wouldRefuse[slot] = 0
    const first = slot * (mostRoutes + 1)
    for (const counts of [this.#routes, this.#admitted, this.#refused]) {
      counts.fill(0, first, first + mostRoutes + 1)
    }
    return slot
  }

  #place(slot: number, route: number): number {
    const first = slot * (mostRoutes + 1)
    for (let place = first; place < first + mostRoutes; place++) {
      if (this.#routes[place] === 0) this.#routes[place] = route + 1
      if (this.#routes[place] === route + 1) return place
    }
    return first + mostRoutes
  }

  #offender(slot: number): Offender {
    const first = slot * (mostRoutes + 1)
    const routes = Array.from({ length: mostRoutes + 1 }, (_, index) => ({
      slot: (this.#routes[first + index] ?? 0) - 1,
      admitted: this.#admitted[first + index] ?? 0,
      refused: this.#refused[first + index] ?? 0,
    })).filter(({ admitted, refused }) => admitted + refused > 0)
    return {
      limit: this.#limits[slot] ?? 0,
      subject: this.#subjects[slot] ?? '',
      refused: routes.reduce((sum, { refused }) => sum + refused, 0),
      admitted: routes.reduce((sum, { admitted }) => sum + admitted, 0),
      wouldRefuse: this.#wouldRefuse[slot] ?? 0,
      routes,
    }
  }

  #nearMiss(slot: number): NearMiss {
    const seen = this.#near.count(slot) - this.#near.error(slot)
    const share = Math.min(1, this.#shares[slot] ?? 0)
    return { limit: this.#nearLimits[slot] ?? 0, subject: this.#nearSubjects[slot] ?? '', seen, share }
  }
}

function increment(counts: Float64Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1
}
