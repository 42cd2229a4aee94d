import type { SharedTake, SharedVerdict } from '../shared-counters/index.ts'
import type { Admission, Asking } from './admit.ts'
import type { Bounds } from './prepared-limits.ts'
import type { SharedLimits } from './shared-limits.ts'

/** A request that this edge's own limits have admitted, or not. */
export interface OwnAdmission extends Asking {
  readonly bounds: Bounds
  readonly own: Admission | Promise<Admission | null>
  /** Whether whoever asked has gone while the store was asked. */
  readonly isGone: () => boolean
}

/**
 * Asks those limits that edges share, after this edge's own table has admitted by the same rules: what goes beyond a
 * rule on one edge alone surely does on all together, and costs the store nothing. Null: whoever asked has gone.
 */
export function admitShared(
  shared: SharedLimits,
  request: OwnAdmission,
): Admission | Promise<Admission | null> {
  const { own } = request
  if (!(own instanceof Promise)) return ask(shared, request, own)
  return own.then((admission) => (admission === null ? null : ask(shared, request, admission)))
}

function ask(
  shared: SharedLimits,
  request: OwnAdmission,
  own: Admission,
): Admission | Promise<Admission | null> {
  const takes = own.refusedBy === null ? takesOf(shared, request) : []
  if (takes.length === 0) return own
  const verdict = shared.counters.take(takes, request.nowMs)
  if (!(verdict instanceof Promise)) return join(shared, request, { own, verdict })
  return verdict.then((verdict) => {
    const admission = join(shared, request, { own, verdict })
    if (!request.isGone()) return admission
    giveBack(admission, request.nowMs)
    return null
  })
}

function takesOf({ places }: SharedLimits, { bounds, countable }: OwnAdmission): readonly SharedTake[] {
  return bounds.limits.flatMap(({ index, isLease, textOf }) => {
    const limit = places.get(index)
    return limit === undefined ? [] : [{ limit, key: textOf(countable), cost: isLease ? 1 : bounds.cost }]
  })
}

interface Verdicts {
  readonly own: Admission
  readonly verdict: SharedVerdict
}

function join(
  { counters, places }: SharedLimits,
  { bounds, countable, nowMs }: OwnAdmission,
  { own, verdict }: Verdicts,
): Admission {
  const wouldRefuse = own.wouldRefuse || verdict.wouldRefuse.length > 0
  if (verdict.admitted) {
    const lease =
      own.lease === null || verdict.lease === null
        ? own.lease
        : { ...own.lease, shared: { counters, lease: verdict.lease } }
    return { ...own, wouldRefuse, lease }
  }
  giveBack(own, nowMs)
  const refusedBy = bounds.limits.find(({ index }) => places.get(index) === verdict.refusedBy) ?? null
  if (refusedBy !== null) {
    const key = refusedBy.keyOf(countable)
    bounds.watch.decided(refusedBy, { key, isAdmitted: false }, { countable, nowMs })
  }
  return { refusedBy, retryAfterMs: verdict.retryAfterMs, wouldRefuse, lease: null }
}

function giveBack({ lease }: Admission, nowMs: number): void {
  lease?.limiter.release(lease.takes, lease.takenAtMs, nowMs)
  lease?.shared?.counters.release(lease.shared.lease, nowMs)
}
