import type { Limiter } from '../../../../kernel/limit/index.ts'
import type { SharedTake, SharedVerdict } from '../shared-counters/index.ts'
import { admit, blockingOf, longestWait, type Admission, type Asking, type Patience } from './admit.ts'
import type { Bounds, PreparedLimit } from './prepared-limits.ts'
import type { SharedLimits } from './shared-limits.ts'

/** A request that asks this edge's own table and then what edges share. */
export interface SharedAsking extends Asking, Patience {
  readonly limiter: Limiter
  readonly bounds: Bounds
  /** Whether whoever asked has gone meanwhile. */
  readonly isGone: () => boolean
}

/**
 * Asks those limits that edges share, after this edge's own table has admitted by the same rules: what goes beyond a
 * rule on one edge alone surely does on all together, and costs the store nothing. Where a limit lets wait, whoever the
 * store refuses waits as well, in a place of this edge, and asks again when the store said. Null: whoever asked has gone.
 */
export function admitShared(
  shared: SharedLimits,
  request: SharedAsking,
): Admission | Promise<Admission | null> {
  return new Desk(shared, request).admit()
}

class Desk {
  readonly #shared: SharedLimits
  readonly #request: SharedAsking
  /** What the edge's own table admitted, which holds while the store is asked and asked again. */
  #own: Admission | null = null

  constructor(shared: SharedLimits, request: SharedAsking) {
    this.#shared = shared
    this.#request = request
  }

  admit(): Admission | Promise<Admission | null> {
    const { limiter, bounds } = this.#request
    const blocking = bounds.mayQueue ? blockingOf(limiter, bounds, this.#request) : undefined
    const waiting = blocking === undefined ? null : this.#wait(blocking.limit, blocking.waitMs)
    if (waiting !== null) return waiting
    const own = admit(limiter, bounds, this.#request)
    if (own.refusedBy !== null) return own
    this.#own = own
    const asked = this.#askStore(own)
    if (!(asked instanceof Promise)) return this.#conclude(asked)
    return asked.then((admission) =>
      this.#request.isGone() ? this.#leave(admission) : this.#conclude(admission),
    )
  }

  /** Whom the store refused waits, if there is a place. */
  #conclude(admission: Admission): Admission | Promise<Admission | null> {
    const { refusedBy } = admission
    if (refusedBy === null) return admission
    const waiting = this.#wait(refusedBy, admission.retryAfterMs)
    if (waiting === null) return this.#refuse(admission)
    this.#forgive(refusedBy)
    return waiting
  }

  #wait({ queue, keyOf }: PreparedLimit, waitMs: number): Promise<Admission | null> | null {
    const { countable, onGone } = this.#request
    const attempt = (isLast: boolean) => this.#attempt(isLast)
    const waiting = queue?.join<Admission>({ key: keyOf(countable), waitMs, attempt, onGone }) ?? null
    return waiting === null ? null : waiting.then((admission) => admission ?? this.#leave(null))
  }

  #attempt(isLast: boolean): number | Admission | Promise<number | Admission> {
    const { limiter, bounds, countable, now } = this.#request
    if (this.#own === null) {
      const later = { countable, nowMs: now() }
      const waitMs = isLast ? 0 : longestWait(limiter, bounds, later)
      if (waitMs > 0) return waitMs
      const own = admit(limiter, bounds, later)
      if (own.refusedBy !== null) return own
      this.#own = own
    }
    const asked = this.#askStore(this.#own)
    if (!(asked instanceof Promise)) return this.#retryOr(asked, isLast)
    return asked.then((admission) => {
      if (!this.#request.isGone()) return this.#retryOr(admission, isLast)
      // The queue lets whoever has gone go, and what the edge's own table gave with it.
      this.#giveBack(admission.lease === null ? null : { ...admission.lease, takes: [] })
      return Number.POSITIVE_INFINITY
    })
  }

  #retryOr(admission: Admission, isLast: boolean): number | Admission {
    const { refusedBy } = admission
    if (refusedBy === null) return admission
    if (isLast || refusedBy.queue === null) return this.#refuse(admission)
    this.#forgive(refusedBy)
    return admission.retryAfterMs
  }

  #askStore(own: Admission): Admission | Promise<Admission> {
    const takes = this.#takes()
    if (takes.length === 0) return own
    const verdict = this.#shared.counters.take(takes, this.#request.now())
    if (!(verdict instanceof Promise)) return this.#join(own, verdict)
    return verdict.then((known) => this.#join(own, known))
  }

  #takes(): readonly SharedTake[] {
    const { bounds, countable } = this.#request
    return bounds.limits.flatMap(({ index, isLease, textOf }) => {
      const limit = this.#shared.places.get(index)
      return limit === undefined ? [] : [{ limit, key: textOf(countable), cost: isLease ? 1 : bounds.cost }]
    })
  }

  #join(own: Admission, verdict: SharedVerdict): Admission {
    const { counters, places } = this.#shared
    const wouldRefuse = own.wouldRefuse || verdict.wouldRefuse.length > 0
    if (verdict.admitted) {
      const lease =
        own.lease === null || verdict.lease === null
          ? own.lease
          : { ...own.lease, shared: { counters, lease: verdict.lease } }
      return { ...own, wouldRefuse, lease }
    }
    const { limits } = this.#request.bounds
    const refusedBy = limits.find(({ index }) => places.get(index) === verdict.refusedBy) ?? null
    return { refusedBy, retryAfterMs: verdict.retryAfterMs, wouldRefuse, lease: null }
  }

  /** The refusal is final. */
  #refuse(admission: Admission): Admission {
    const { bounds, countable, now } = this.#request
    const { refusedBy } = admission
    this.#giveBack(this.#own?.lease ?? null)
    if (refusedBy !== null) {
      const key = refusedBy.keyOf(countable)
      bounds.watch.decided(refusedBy, { key, isAdmitted: false }, { countable, nowMs: now() })
    }
    return admission
  }

  #forgive({ index }: PreparedLimit): void {
    const place = this.#shared.places.get(index)
    if (place !== undefined) this.#shared.counters.forgive(place)
  }

  /** Whoever asked has gone. */
  #leave(admission: Admission | null): null {
    this.#giveBack(admission?.lease ?? this.#own?.lease ?? null)
    return null
  }

  #giveBack(lease: Admission['lease']): void {
    if (lease === null) return
    const nowMs = this.#request.now()
    if (lease.takes.length > 0) lease.limiter.release(lease.takes, lease.takenAtMs, nowMs)
    lease.shared?.counters.release(lease.shared.lease, nowMs)
  }
}
