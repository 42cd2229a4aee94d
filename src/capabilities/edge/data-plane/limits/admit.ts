import type { Limiter, Take } from '../../../../kernel/limit/index.ts'
import type { Countable } from '../../pipeline/index.ts'
import type { Lease } from './leases.ts'
import type { Bounds, PreparedLimit } from './prepared-limits.ts'

/** What the limits say to a request. */
export interface Admission {
  /** The limit that refused; null: admitted. */
  readonly refusedBy: PreparedLimit | null
  readonly retryAfterMs: number
  readonly wouldRefuse: boolean
  /** To be given back at the end; null: nothing to give back. */
  readonly lease: Lease | null
}

/** Nothing stands in the way. */
export const admitted: Admission = { refusedBy: null, retryAfterMs: 0, wouldRefuse: false, lease: null }

/** Who asks, and when, by the time that limits count by. */
export interface Asking {
  readonly countable: Countable
  readonly nowMs: number
}

/** Asks all limits of a route (or of what no route matches) at once. */
export function admit(limiter: Limiter, bounds: Bounds, from: Asking): Admission {
  const { countable, nowMs } = from
  const { only, limits, watch } = bounds
  if (only !== null) {
    const { cost } = bounds
    const key = only.keyOf(countable)
    const waitMs =
      cost === 1
        ? limiter.takeOne(only.index, key, nowMs)
        : limiter.takeUnits({ limit: only.index, key, cost }, nowMs)
    watch.decided(only, { key, isAdmitted: waitMs === 0 }, from)
    return waitMs === 0 ? admitted : { ...admitted, refusedBy: only, retryAfterMs: waitMs }
  }
  if (limits.length === 0) return admitted
  const takes = limits.map((limit): Take => {
    const key = limit.keyOf(countable)
    return { limit: limit.index, key, cost: limit.isLease ? 1 : bounds.cost }
  })
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

/** How often one asks again where it cannot be told when there will be room. */
const pollMs = 50

/** Who asks for how much. */
interface Wanting extends Asking {
  readonly cost: number
}

/** Milliseconds for which a limit that lets wait would refuse from now on, about; 0: it would admit. */
function waitFor(limiter: Limiter, limit: PreparedLimit, { cost, countable, nowMs }: Wanting): number {
  const standing = limiter.peek(limit.index, limit.keyOf(countable), nowMs)
  if (standing.remaining >= cost) return 0
  if (cost === 1) return Math.max(1, standing.retryAfterMs)
  const { kind, count, periodMs } = limit.parsed
  if (kind !== 'rate') return pollMs
  // All debts are paid at the reset; this one may be taken when only the burst but for its cost is owed.
  const restMs = ((standing.limit - cost) * periodMs) / count
  return Math.max(1, Math.ceil(standing.resetsAtMs - nowMs - restMs))
}

/** The limit that makes whoever comes now wait, and for how long, about; undefined: none. */
export function blockingOf(
  limiter: Limiter,
  { limits, cost }: Bounds,
  asking: Asking,
): { readonly limit: PreparedLimit; readonly waitMs: number } | undefined {
  for (const limit of limits) {
    if (limit.queue === null) continue
    const waitMs = waitFor(limiter, limit, { ...asking, cost })
    if (waitMs > 0 || limit.queue.holds(limit.keyOf(asking.countable))) return { limit, waitMs }
  }
  return undefined
}

/** Milliseconds for which a limit that lets wait would refuse, about; 0: none would. */
export function longestWait(limiter: Limiter, { limits, cost }: Bounds, asking: Asking): number {
  const wanting = { ...asking, cost }
  return Math.max(0, ...limits.map((limit) => (limit.queue === null ? 0 : waitFor(limiter, limit, wanting))))
}

/** What waiting needs: whether whoever asked is still there, and the time. */
export interface Patience {
  readonly now: () => number
  readonly onGone: (leave: () => void) => () => void
}

/**
 * As `admit`, but where a limit lets wait a promise; null in the end: whoever waited has gone. While somebody waits
 * nothing is charged and nothing counts as refused.
 */
export function admitOrWait(
  limiter: Limiter,
  bounds: Bounds,
  { countable, nowMs, now, onGone }: Asking & Patience,
): Admission | Promise<Admission | null> {
  const asking = { countable, nowMs }
  const blocking = blockingOf(limiter, bounds, asking)
  if (blocking === undefined) return admit(limiter, bounds, asking)
  const attempt = (isLast: boolean): Admission | number => {
    const later = { countable, nowMs: now() }
    const waitMs = isLast ? 0 : longestWait(limiter, bounds, later)
    return waitMs > 0 ? waitMs : admit(limiter, bounds, later)
  }
  const { limit, waitMs } = blocking
  const waiter = { key: limit.keyOf(countable), waitMs, attempt, onGone }
  return limit.queue?.join(waiter) ?? admit(limiter, bounds, asking)
}
