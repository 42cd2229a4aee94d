import type { Verdict } from '../port.ts'

/** Units that control has taken on our behalf. */
export interface Lease {
  left: number
  readonly granted: number
  /** In ms since 1970. */
  readonly untilMs: number
}

/** What is known of a subject of a limit that comes again and again. */
export interface Hot {
  /** Units asked for since `sinceMs`. */
  asked: number
  sinceMs: number
  /** Units per second, of the last whole second or more. */
  perSecond: number
  lease: Lease | undefined
  /** Takes over when `lease` is spent or over. */
  next: Lease | undefined
  isAsking: boolean
  /** No lease is asked for before. */
  restUntilMs: number
  /** A refusal of control's, believed until `refusedUntilMs`. */
  refusal: Verdict | undefined
  refusedUntilMs: number
  refusedCost: number
}

const measureMs = 1000
/** Below that many units a second the way to control costs less than leases do. */
const busyPerSecond = 20
/** A lease holds what is asked for in about that time. */
const leaseSeconds = 1
/** A lease is at most that part of the bound, so that the others get their share. */
const mostPart = 10
/** Leases of fewer units are not worth their calls. */
const leastUnits = 10
const longestRefusalMs = 1000

/** A subject that nobody has asked about yet. */
export function cold(nowMs: number): Hot {
  return {
    asked: 0,
    sinceMs: nowMs,
    perSecond: 0,
    lease: undefined,
    next: undefined,
    isAsking: false,
    restUntilMs: 0,
    refusal: undefined,
    refusedUntilMs: 0,
    refusedCost: 0,
  }
}

/** Notes that units are asked for. */
export function noteAsked(hot: Hot, cost: number, nowMs: number): void {
  const elapsedMs = nowMs - hot.sinceMs
  if (elapsedMs >= measureMs || elapsedMs < 0) {
    hot.perSecond = elapsedMs > 0 ? (hot.asked * 1000) / elapsedMs : 0
    hot.asked = 0
    hot.sinceMs = nowMs
  }
  hot.asked += cost
}

/** Units worth leasing for a subject, of a bound of `count`; 0: none. */
export function unitsToLease(hot: Hot, count: number, nowMs: number): number {
  const perSecond = Math.max(hot.perSecond, hot.asked)
  if (hot.isAsking || nowMs < hot.restUntilMs || hot.next !== undefined || perSecond < busyPerSecond) return 0
  const units = Math.min(Math.ceil(perSecond * leaseSeconds), Math.floor(count / mostPart))
  if (units < leastUnits) return 0
  return hot.lease === undefined || hot.lease.left < hot.lease.granted / 4 ? units : 0
}

/** Spends units of the lease; false when it has not that many or is over. */
export function spend(hot: Hot, cost: number, nowMs: number): boolean {
  const { lease } = hot
  if (lease === undefined || nowMs >= lease.untilMs || lease.left < cost) return false
  lease.left -= cost
  return true
}

/** Remembers a refusal for a moment: whoever hammers a refused subject need not ask control each time. */
export function noteRefusal(
  hot: Hot,
  verdict: Verdict,
  { cost, nowMs }: { cost: number; nowMs: number },
): void {
  hot.refusal = verdict
  hot.refusedUntilMs = nowMs + Math.min(longestRefusalMs, verdict.retryAfterMs)
  hot.refusedCost = cost
}

/** The refusal that still holds for that many units, with the time that is left. */
export function refusalOf(hot: Hot, cost: number, nowMs: number): Verdict | undefined {
  const { refusal } = hot
  if (refusal === undefined || cost < hot.refusedCost) return undefined
  const leftMs = hot.refusedUntilMs - nowMs
  if (leftMs <= 0 || leftMs > longestRefusalMs) {
    hot.refusal = undefined
    return undefined
  }
  const passedMs = Math.min(longestRefusalMs, refusal.retryAfterMs) - leftMs
  return { ...refusal, at: nowMs, retryAfterMs: Math.max(1, Math.ceil(refusal.retryAfterMs - passedMs)) }
}

/** Leases that are over or spent, which make room; what is left of them has to be given back. */
export function clearLeases(hot: Hot, nowMs: number): readonly Lease[] {
  const over: Lease[] = []
  if (hot.lease !== undefined && (nowMs >= hot.lease.untilMs || hot.lease.left === 0)) {
    over.push(hot.lease)
    hot.lease = hot.next
    hot.next = undefined
  }
  return over
}
