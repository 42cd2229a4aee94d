import type { Countable } from '../../pipeline/index.ts'
import type { Lease } from './leases.ts'
import type { Bounds, Prepared, PreparedLimit } from './prepared.ts'

/** What the limits say to a request. */
export interface Admission {
  /** The limit that refused; null: admitted. */
  readonly refusedBy: PreparedLimit | null
  readonly retryAfterMs: number
  readonly wouldRefuse: boolean
  /** To be given back at the end; null: nothing to give back. */
  readonly lease: Lease | null
}

const admitted: Admission = { refusedBy: null, retryAfterMs: 0, wouldRefuse: false, lease: null }

/** Who asks, and when: milliseconds since the epoch. */
interface Asking {
  readonly countable: Countable
  readonly nowMs: number
}

/** Asks all limits of a route (or of what no route matches) at once. */
export function admit({ limiter }: Prepared, bounds: Bounds, from: Asking): Admission {
  const { countable, nowMs } = from
  const { only, limits, watch } = bounds
  if (only !== null) {
    const key = only.keyOf(countable)
    const waitMs = limiter.takeOne(only.index, key, nowMs)
    watch.decided(only, { key, isAdmitted: waitMs === 0 }, from)
    return waitMs === 0 ? admitted : { ...admitted, refusedBy: only, retryAfterMs: waitMs }
  }
  if (limits.length === 0) return admitted
  const takes = limits.map((limit) => ({ limit: limit.index, key: limit.keyOf(countable) }))
  const verdict = limiter.take(takes, nowMs)
  watch.decidedAll(limits, { takes, verdict }, from)
  const wouldRefuse = verdict.wouldRefuse.length > 0
  if (!verdict.admitted) {
    const refusedBy = limits.find(({ index }) => index === verdict.refusedBy) ?? limits[0] ?? null
    return { refusedBy, retryAfterMs: verdict.retryAfterMs, wouldRefuse, lease: null }
  }
  const leased = takes.filter((_, index) => limits[index]?.isLease === true)
  const lease = leased.length === 0 ? null : { limiter, takes: leased, takenAtMs: nowMs }
  return { refusedBy: null, retryAfterMs: 0, wouldRefuse, lease }
}
