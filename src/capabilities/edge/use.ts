import type {
  EdgePolicy,
  EdgeReport,
  LatencyRollUp,
  LimitRollUp,
  RouteRollUp,
} from '../../contracts/edge-policy.ts'
import type { GroupView, LimitView, RouteView, TrafficView } from '../../contracts/edge.ts'
import { parseLimit } from '../../kernel/limit/index.ts'
import { merge, quantile, type Histogram } from '../../kernel/series/index.ts'
import { edgeSliceMs, overshootOf } from './data-plane/shared-counters/overshoot.ts'
import { biteKey } from './decide.ts'

/** What the views are made from: the policy, the reports of the last minute, why routes are unlimited. */
export interface UseGround {
  readonly policy: EdgePolicy
  /** Of the last minute, oldest first. */
  readonly reports: readonly EdgeReport[]
  readonly waivers: ReadonlyMap<string, string>
  /** By `biteKey`, over the last hour. */
  readonly lastHour: ReadonlyMap<string, Omit<LimitRollUp, 'name' | 'rule'>>
}

const seconds = 60

interface RouteSum {
  readonly answers: number
  readonly errors: number
  readonly requests: number
  readonly refused: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly latency: Histogram
}

const nothing: RouteSum = {
  answers: 0,
  errors: 0,
  requests: 0,
  refused: 0,
  bytesIn: 0,
  bytesOut: 0,
  latency: { buckets: {} },
}

function sumUp(rollUps: readonly RouteRollUp[]): RouteSum {
  return rollUps.reduce(
    (sum, { classes, requests, refused, bytesIn, bytesOut, latency }) => ({
      answers: sum.answers + classes.reduce((total, count) => total + count, 0),
      errors: sum.errors + classes[4],
      requests: sum.requests + requests,
      refused: sum.refused + refused,
      bytesIn: sum.bytesIn + bytesIn,
      bytesOut: sum.bytesOut + bytesOut,
      latency: latency.count === 0 ? sum.latency : merge(sum.latency, latency),
    }),
    nothing,
  )
}

const rate = (count: number): number => Math.round((count / seconds) * 100) / 100
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** Every route with what it did in the last minute; (unmatched) and (malformed) come last, the latter if there was any. */
export function routeViews({ policy, reports, waivers }: UseGround): RouteView[] {
  const rollUps = reports.flatMap(({ routes }) => routes)
  const rules = (indexes: readonly number[]): string[] =>
    indexes.map((index) => policy.limits[index]?.rule ?? '')
  const view = (name: string, to: string, limits: string[]): RouteView => {
    const sum = sumUp(rollUps.filter(({ route }) => route === name))
    return {
      name,
      to,
      limits,
      unlimitedBecause: waivers.get(name) ?? null,
      requestsPerSecond: rate(sum.requests),
      refusedPerSecond: rate(sum.refused),
      errorShare: share(sum.errors, sum.answers),
      p50Ms: quantile(sum.latency, 0.5),
      p95Ms: quantile(sum.latency, 0.95),
      p99Ms: quantile(sum.latency, 0.99),
      bytesInPerSecond: rate(sum.bytesIn),
      bytesOutPerSecond: rate(sum.bytesOut),
    }
  }
  const malformed = rollUps.some(({ route }) => route === '(malformed)')
  return [
    ...policy.routes.map(({ name, upstream, limits }) => view(name, upstream, rules(limits))),
    view('(unmatched)', '', rules(policy.unmatchedLimits)),
    ...(malformed ? [view('(malformed)', '', [])] : []),
  ]
}

/** Every limit with its use. */
export function limitViews({ policy, reports, lastHour }: UseGround): LimitView[] {
  const lastMinute = sumLimits(reports.flatMap(({ limits }) => limits))
  const routeOf = new Map(
    policy.routes.flatMap(({ name, limits, messageLimits }) =>
      [...limits, ...messageLimits].map((index) => [index, name] as const),
    ),
  )
  const none = { admitted: 0, refused: 0, wouldRefuse: 0 }
  return policy.limits.map(({ name, rule }, index) => {
    const minute = lastMinute.get(biteKey(name, rule)) ?? none
    const hour = lastHour.get(biteKey(name, rule)) ?? none
    const tally = (what: keyof typeof none) => ({
      lastMinute: minute[what],
      // The hour comes from measurements, which are a moment behind.
      lastHour: Math.max(minute[what], hour[what]),
    })
    return {
      name,
      rule,
      route: routeOf.get(index) ?? null,
      dryRun: parseLimit(rule).dryRun,
      ...sayShared(policy, index),
      admitted: tally('admitted'),
      refused: tally('refused'),
      wouldRefuse: tally('wouldRefuse'),
    }
  })
}

/** A limit that edges share, in plain words; with one thread each, since the bound then holds for any number. */
function sayShared({ shared, limits, errorLimits }: EdgePolicy, index: number): Pick<LimitView, 'shared'> {
  const rule = limits[index]?.rule
  const how = shared?.limits.find(({ limit }) => limit === index)
  if (shared === undefined || how === undefined || rule === undefined) return {}
  const { edges } = shared
  const sharing = { mode: how.mode ?? shared.mode, edges, threads: 1, sliceMs: edgeSliceMs }
  const { sentence } = overshootOf(parseLimit(rule), sharing)
  return { shared: errorLimits.includes(index) ? `${sentence} ${sayErrors}` : sentence }
}

const sayErrors =
  'Errors count once they have been answered; who has used them up is refused on another edge within a second of coming there.'

/** What each limit did altogether, by `biteKey`. */
export function sumLimits(
  rollUps: readonly LimitRollUp[],
): ReadonlyMap<string, Omit<LimitRollUp, 'name' | 'rule'>> {
  const sums = new Map<string, { admitted: number; refused: number; wouldRefuse: number }>()
  for (const { name, rule, admitted, refused, wouldRefuse } of rollUps) {
    const sum = sums.get(biteKey(name, rule)) ?? { admitted: 0, refused: 0, wouldRefuse: 0 }
    sums.set(biteKey(name, rule), {
      admitted: sum.admitted + admitted,
      refused: sum.refused + refused,
      wouldRefuse: sum.wouldRefuse + wouldRefuse,
    })
  }
  return sums
}

/** Each group of the services that have more than one. */
function groupViews({ policy, reports }: Pick<UseGround, 'policy' | 'reports'>): GroupView[] {
  const rollUps = reports.flatMap(({ groups = [] }) => groups)
  return policy.upstreams.flatMap(({ name, targets }) => {
    const groups = [...new Set(targets.map(({ group }) => group))]
    if (groups.length < 2) return []
    return groups.map((group) => {
      const own = rollUps.filter((rollUp) => rollUp.upstream === name && rollUp.group === group)
      const sum = (what: 'requests' | 'failures'): number =>
        own.reduce((total, rollUp) => total + rollUp[what], 0)
      return {
        service: name,
        group,
        requestsPerSecond: rate(sum('requests')),
        // A request is counted when it is sent, its failure when it fails, which may be in another minute.
        errorShare: Math.min(1, share(sum('failures'), sum('requests'))),
        p95Ms: quantile(mergeAll(own.map(({ latency }) => latency)), 0.95),
      }
    })
  })
}

const mergeAll = (latencies: readonly LatencyRollUp[]): Histogram =>
  latencies.reduce<Histogram>((all, one) => (one.count === 0 ? all : merge(all, one)), { buckets: {} })

/** Whether the edge, by its last report, can answer for every service. */
function serves({ upstreams, revision }: EdgePolicy, last: EdgeReport | undefined): boolean {
  if (last?.revision !== revision) return false
  const ill = new Set(last.unhealthyTargets)
  return upstreams.every(({ targets }) => targets.some(({ id }) => !ill.has(id)))
}

/** Totals of the last minute. */
export function trafficView({ policy, reports }: Pick<UseGround, 'policy' | 'reports'>): TrafficView {
  const sum = sumUp(reports.flatMap(({ routes }) => routes))
  const last = reports.at(-1)
  const biting = new Set(
    reports.flatMap(({ limits }) => limits.filter(({ refused }) => refused > 0).map(({ name }) => name)),
  )
  const groups = groupViews({ policy, reports })
  const view = {
    requestsPerSecond: rate(sum.requests),
    refusedPerSecond: rate(sum.refused),
    errorShare: share(sum.errors, sum.answers),
    p95Ms: quantile(sum.latency, 0.95),
    connections: last?.connections ?? 0,
    biting: [...biting],
    unhealthyTargets: [...(last?.unhealthyTargets ?? [])],
    ...(groups.length === 0 ? {} : { groups }),
    reportedAt: last?.at ?? null,
    serves: serves(policy, last),
  }
  return { says: sayTraffic(view), ...view }
}

function sayTraffic(view: Omit<TrafficView, 'says'>): string {
  if (view.reportedAt === null) return 'The edge has not reported in the last minute.'
  const parts = [`${view.requestsPerSecond} requests/s`, `${view.connections} connections`]
  if (view.p95Ms !== null) parts.push(`95 % answered within ${Math.round(view.p95Ms)} ms`)
  if (view.errorShare > 0) parts.push(`${(view.errorShare * 100).toFixed(1)} % failed`)
  if (view.biting.length > 0) {
    const limits = view.biting.length === 1 ? '1 limit bites' : `${view.biting.length} limits bite`
    parts.push(`${limits} (${view.refusedPerSecond} refused/s)`)
  }
  return `${parts.join(', ')}.`
}
