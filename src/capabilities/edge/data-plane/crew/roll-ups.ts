import type {
  EdgePolicy,
  EdgeReport,
  GroupRollUp,
  LatencyRollUp,
  RouteRollUp,
} from '../../../../contracts/edge-policy.ts'
import { bucketValue } from '../../../../kernel/series/index.ts'
import { counted, planSlots, type Counters } from '../shared/index.ts'

/** What was counted under one policy. */
interface Counted {
  readonly policy: EdgePolicy
  readonly counters: Counters
}

/** Groups in one report. */
const mostGroups = 1000

/** Takes what was counted of routes; one that stands in an old and a new policy is reported once. */
export function takeRoutes(ledgers: readonly Counted[]): RouteRollUp[] {
  const taken = ledgers.flatMap(({ policy, counters }) =>
    planSlots(policy).routes.map((route, slot) => takeRoute(counters, slot, route)),
  )
  const busy = taken.filter((rollUp) => !isQuiet(rollUp))
  return merge(busy, { keyOf: ({ route }) => route, add: addRoutes })
}

/** Takes what was counted of groups; nothing where there was nothing. */
export function takeGroups(ledgers: readonly Counted[]): Pick<EdgeReport, 'groups'> {
  const taken = ledgers.flatMap(({ policy, counters }) => {
    const { routes, groups } = planSlots(policy)
    return groups.map((key, index): GroupRollUp => ({
      ...key,
      ...takeGroup(counters, routes.length + index),
    }))
  })
  const busy = taken.filter(({ requests, failures, latency }) => requests + failures + latency.count > 0)
  if (busy.length === 0) return {}
  const keyOf = ({ upstream, group }: GroupRollUp): string => JSON.stringify([upstream, group])
  return { groups: merge(busy, { keyOf, add: addGroups }).slice(0, mostGroups) }
}

function takeGroup(counters: Counters, slot: number): Omit<GroupRollUp, 'upstream' | 'group'> {
  return {
    requests: counters.take(slot, counted.requests),
    failures: counters.take(slot, counted.failures),
    latency: takeLatency(counters, slot),
  }
}

function takeRoute(counters: Counters, slot: number, route: string): RouteRollUp {
  const take = (field: number): number => counters.take(slot, field)
  const classes = [0, 1, 2, 3, 4].map((offset) => take(counted.classes + offset))
  const [c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] = classes
  return {
    route,
    requests: take(counted.requests),
    classes: [c1, c2, c3, c4, c5],
    refused: take(counted.refused),
    wouldRefuse: take(counted.wouldRefuse),
    originFailures: take(counted.failures),
    bytesIn: take(counted.bytesIn),
    bytesOut: take(counted.bytesOut),
    latency: takeLatency(counters, slot),
  }
}

/** Sum and extremes come from the buckets: right within their 1.5 %, and no further counts to be shared. */
function takeLatency(counters: Counters, slot: number): LatencyRollUp {
  const buckets = counters.take(slot, counted.latencies) === 0 ? {} : counters.takeLatencies(slot)
  const entries = Object.entries(buckets).map(([bucket, count]) => ({
    value: bucketValue(Number(bucket)),
    count,
  }))
  return {
    count: entries.reduce((sum, { count }) => sum + count, 0),
    sum: entries.reduce((sum, { value, count }) => sum + value * count, 0),
    minimum: entries[0]?.value ?? 0,
    maximum: entries.at(-1)?.value ?? 0,
    buckets,
  }
}

function isQuiet({ requests, classes, bytesIn, bytesOut, latency }: RouteRollUp): boolean {
  return requests + bytesIn + bytesOut + latency.count + classes.reduce((sum, count) => sum + count, 0) === 0
}

interface Merging<RollUp> {
  readonly keyOf: (rollUp: RollUp) => string
  readonly add: (one: RollUp, other: RollUp) => RollUp
}

function merge<RollUp>(rollUps: readonly RollUp[], { keyOf, add }: Merging<RollUp>): RollUp[] {
  const merged = new Map<string, RollUp>()
  for (const rollUp of rollUps) {
    const key = keyOf(rollUp)
    const before = merged.get(key)
    merged.set(key, before === undefined ? rollUp : add(before, rollUp))
  }
  return [...merged.values()]
}

function addRoutes(one: RouteRollUp, other: RouteRollUp): RouteRollUp {
  const [a, b] = [one.classes, other.classes]
  return {
    route: one.route,
    requests: one.requests + other.requests,
    classes: [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]],
    refused: one.refused + other.refused,
    wouldRefuse: one.wouldRefuse + other.wouldRefuse,
    originFailures: one.originFailures + other.originFailures,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    latency: addLatencies(one.latency, other.latency),
  }
}

function addGroups(one: GroupRollUp, other: GroupRollUp): GroupRollUp {
  return {
    ...one,
    requests: one.requests + other.requests,
    failures: one.failures + other.failures,
    latency: addLatencies(one.latency, other.latency),
  }
}

function addLatencies(one: LatencyRollUp, other: LatencyRollUp): LatencyRollUp {
  if (one.count === 0) return other
  if (other.count === 0) return one
  const buckets = { ...one.buckets }
  for (const [bucket, count] of Object.entries(other.buckets)) {
    buckets[bucket] = (buckets[bucket] ?? 0) + count
  }
  return {
    count: one.count + other.count,
    sum: one.sum + other.sum,
    minimum: Math.min(one.minimum, other.minimum),
    maximum: Math.max(one.maximum, other.maximum),
    buckets,
  }
}
