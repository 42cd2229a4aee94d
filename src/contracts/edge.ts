import { z } from 'zod'
import { declareFact, declareOperation } from './declare.ts'
import { moment, nothing, serviceName } from './shapes.ts'

const perSecond = z.number().describe('per second, averaged over the last minute')
const milliseconds = z.number().nullable().describe('milliseconds; null: no request in the last minute')
const tally = z.strictObject({ lastMinute: z.number().int(), lastHour: z.number().int() })

/** Whose requests of one route were counted on their own. */
export const sender = z.strictObject({
  route: z.string().describe('as in the environment file of then; (unmatched) for the rest'),
  address: z.string().describe('as limits count it; of an IPv6 address the first 64 bits'),
  who: z.string().describe('what it proved to be, as user:42, key:partner or passport:x; empty: nothing'),
})

const minutesOfSpan = 5
const mostRoutesOfSpan = 60
const mostSendersOfSpan = 32
const perMinute = z.array(z.number().int().min(0)).max(minutesOfSpan)

/** Requests of five minutes: of each route, and of those who sent most. */
export const trafficSpan = z.strictObject({
  from: moment.describe('a whole minute, milliseconds since 1970'),
  until: moment,
  routes: z
    .array(
      z.strictObject({
        route: z.string(),
        requests: perMinute.describe('in each minute, refused ones included'),
      }),
    )
    .max(mostRoutesOfSpan)
    .describe('with most requests first'),
  senders: z
    .array(
      sender.extend({
        requests: perMinute.describe('by samples on a busy route; never too many but for those'),
      }),
    )
    .max(mostSendersOfSpan)
    .describe('those who sent most, and of each route the first'),
})

/** Facts of the edge. None per request: it counts, and these say what the counts mean. */
export const edgeFacts = {
  policyAccepted: declareFact({
    kind: 'edge.policy-accepted',
    says: 'the edge took on policy {rules} (routes: {routes}, limits: {limits})',
    data: z.strictObject({
      rules: z.string().describe('first digits of the hash of everything but the addresses of replicas'),
      routes: z.number().int(),
      limits: z.number().int(),
    }),
  }),
  policyRefused: declareFact({
    kind: 'edge.policy-refused',
    says: 'the edge refused a policy and goes on with the old one: {message}',
    severity: 'warning',
    data: z.strictObject({ rules: z.string(), message: z.string() }),
  }),
  limitBit: declareFact({
    kind: 'edge.limit-bit',
    says: 'the limit {limit} ({rule}) began to refuse',
    severity: 'notice',
    data: z.strictObject({ limit: z.string(), rule: z.string(), refused: z.number().int() }),
  }),
  limitEased: declareFact({
    kind: 'edge.limit-eased',
    says: 'the limit {limit} ({rule}) has refused nothing for a minute, after {refused} refusals in {seconds} s',
    data: z.strictObject({
      limit: z.string(),
      rule: z.string(),
      refused: z.number().int(),
      seconds: z.number().int().describe('from the first refusal to the last'),
    }),
  }),
  originFailed: declareFact({
    kind: 'edge.origin-failed',
    says: 'requests for {service} fail at the edge: {failures} answers of 502, 503 or 504 in a second',
    severity: 'warning',
    data: z.strictObject({ service: serviceName, failures: z.number().int() }),
  }),
  originRecovered: declareFact({
    kind: 'edge.origin-recovered',
    says: '{service} answers again, after {failures} failed requests in {seconds} s',
    data: z.strictObject({
      service: serviceName,
      failures: z.number().int(),
      seconds: z.number().int().describe('from the first failure to the last'),
    }),
  }),
  certificateReloaded: declareFact({
    kind: 'edge.certificate-reloaded',
    says: 'the edge took on the new certificate in {file}, valid until {until}',
    data: z.strictObject({ file: z.string(), until: z.string() }),
  }),
  certificateRefused: declareFact({
    kind: 'edge.certificate-refused',
    says: 'the certificate in {file} does not load, the old one stays: {message}',
    severity: 'warning',
    data: z.strictObject({ file: z.string(), message: z.string() }),
  }),
  identityReloaded: declareFact({
    kind: 'edge.identity-reloaded',
    says: 'the edge took on what changed in {source}',
    data: z.strictObject({ source: z.string().describe('file or address of keys') }),
  }),
  identityRefused: declareFact({
    kind: 'edge.identity-refused',
    says: 'the edge cannot use {source} to know users, what it knew before stays: {message}',
    severity: 'warning',
    data: z.strictObject({ source: z.string(), message: z.string() }),
  }),
  countersLost: declareFact({
    kind: 'edge.counters-lost',
    says: 'the edge cannot reach the counters that it shares with others and decides without them: {message}',
    severity: 'warning',
    data: z.strictObject({ message: z.string() }),
  }),
  countersFound: declareFact({
    kind: 'edge.counters-found',
    says: 'the edge counts together with the others again',
    severity: 'info',
    data: z.strictObject({}),
  }),
  clientsLookAlike: declareFact({
    kind: 'edge.clients-look-alike',
    says: '{percent} % of the requests seem to come from {address}, which speaks for others and is not trusted: {hint}',
    severity: 'warning',
    data: z.strictObject({
      address: z.string(),
      percent: z.number().int(),
      requests: z.number().int().describe('from that address, in the minutes looked at'),
      hint: z.string().describe('what to write into the environment file'),
    }),
  }),
  threadReplaced: declareFact({
    kind: 'edge.thread-replaced',
    says: 'a thread of the edge ended and was replaced: {message}',
    severity: 'warning',
    data: z.strictObject({ message: z.string() }),
  }),
  trafficCounted: declareFact({
    kind: 'edge.traffic-counted',
    says: 'the edge said who sent it most requests, for limits to be tried on',
    data: trafficSpan,
  }),
  reportsMissed: declareFact({
    kind: 'edge.reports-missed',
    says: '{seconds} s of measurements of the edge are lost: control was away for too long',
    severity: 'notice',
    data: z.strictObject({ seconds: z.number().int() }),
  }),
} as const

/** A route with what it did in the last minute. */
export const routeView = z.strictObject({
  name: z.string().describe('as in the environment file; (unmatched) and (malformed) for the rest'),
  to: z.string().describe('name of the service; empty for (unmatched) and (malformed)'),
  limits: z.array(z.string()).describe('its rules, in the notation of limits'),
  unlimitedBecause: z.string().nullable(),
  requestsPerSecond: perSecond,
  refusedPerSecond: perSecond,
  errorShare: z.number().describe('answers of class 5xx among all that were admitted, 0 to 1'),
  p50Ms: milliseconds,
  p95Ms: milliseconds,
  p99Ms: milliseconds,
  bytesInPerSecond: perSecond,
  bytesOutPerSecond: perSecond,
})

/** A limit of the edge and its use. */
export const limitView = z.strictObject({
  name: z.string(),
  rule: z.string().describe('in the notation of limits'),
  route: z.string().nullable().describe('null: it bounds no single route'),
  dryRun: z.boolean().describe('counts what it would refuse, refuses nothing'),
  shared: z
    .string()
    .optional()
    .describe('how exactly several edges keep it together; absent: this edge counts alone'),
  admitted: tally,
  refused: tally,
  wouldRefuse: tally,
})

/** Who had most of a limit in use without being refused; found by samples, so that a short one may be missed. */
export const nearMiss = z.strictObject({
  limit: z.string(),
  rule: z.string().describe('in the notation of limits'),
  subject: z.string().describe('as user:42; empty: everybody'),
  seen: z.number().int().describe('in how many samples'),
  share: z.number().describe('largest share of the limit in use, 0.8 to 1'),
})

/** A group of a service's replicas with what came of the requests that were sent there in the last minute. */
export const groupView = z.strictObject({
  service: z.string(),
  group: z.string().describe('empty: replicas without one'),
  requestsPerSecond: perSecond,
  errorShare: z.number().describe('requests that failed by these replicas among those sent there, 0 to 1'),
  p95Ms: milliseconds.describe('milliseconds to the first byte of the answer; null: there was none'),
})

/** Totals of the last minute. */
export const trafficView = z.strictObject({
  says: z.string(),
  requestsPerSecond: perSecond,
  refusedPerSecond: perSecond,
  errorShare: z.number().describe('answers of class 5xx among all that were admitted, 0 to 1'),
  p95Ms: milliseconds,
  connections: z.number().int().describe('open connections of clients, now'),
  biting: z.array(z.string()).describe('names of the limits that refused something in the last minute'),
  unhealthyTargets: z.array(z.string()).describe('replicas that the edge holds for ill'),
  groups: z
    .array(groupView)
    .optional()
    .describe('of services that run in more than one group of replicas, as while a release is rolled out'),
  reportedAt: z.number().nullable().describe('when the edge last reported; null: not since control started'),
  serves: z
    .boolean()
    .describe('whether it has the newest policy and, for each service, a replica to send requests to'),
})

/** As many spans as one answer has: a day of them. */
export const mostSpansOfAnswer = 288

/** Operations of the edge. */
export const edgeOperations = {
  traffic: declareOperation({
    name: 'edge.traffic',
    summary: 'Show how much traffic there is and what is refused',
    input: nothing,
    output: trafficView,
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'traffic', positional: [] },
  }),
  routes: declareOperation({
    name: 'edge.routes',
    summary: 'Show every route with its limits and what it did in the last minute',
    input: nothing,
    output: z.strictObject({ says: z.string(), routes: z.array(routeView) }),
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'routes', positional: [] },
  }),
  limits: declareOperation({
    name: 'edge.limits',
    summary: 'Show every limit of the edge and how much it is used',
    input: nothing,
    output: z.strictObject({ says: z.string(), limits: z.array(limitView) }),
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'edge limits', positional: [] },
  }),
  nearMisses: declareOperation({
    name: 'edge.near-misses',
    summary: 'Show who had at least 80 % of a limit in use in the last hour and was not refused',
    input: nothing,
    output: z.strictObject({
      says: z.string(),
      since: moment.describe('the last hour, or since control started'),
      nearMisses: z.array(nearMiss).max(100),
    }),
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'edge near-misses', positional: [] },
  }),
  senders: declareOperation({
    name: 'edge.senders',
    summary: 'Show who sent the edge most requests, five minutes at a time, by route and minute',
    input: z.strictObject({
      since: moment.optional().describe('milliseconds since 1970; default: an hour ago'),
    }),
    output: z.strictObject({
      says: z.string(),
      spans: z.array(trafficSpan).max(mostSpansOfAnswer).describe('oldest first'),
      next: moment.nullable().describe('there is more: ask again since then; null: that is all'),
    }),
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'edge senders', positional: [] },
  }),
} as const

/** A route with what it did in the last minute. */
export type RouteView = z.infer<typeof routeView>
/** A limit of the edge and its use. */
export type LimitView = z.infer<typeof limitView>
/** A group of a service's replicas. */
export type GroupView = z.infer<typeof groupView>
/** Totals of the last minute. */
export type TrafficView = z.infer<typeof trafficView>
/** Requests of five minutes. */
export type TrafficSpan = z.infer<typeof trafficSpan>
/** Who had most of a limit in use. */
export type NearMiss = z.infer<typeof nearMiss>
