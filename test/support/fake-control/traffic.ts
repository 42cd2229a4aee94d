import type { Operations } from '../../../src/contracts/index.ts'
import { groupsOfWeb } from './changes.ts'

type Query = Operations['series.query']['input']
type Answer = Operations['series.query']['output']
type RouteView = Operations['edge.routes']['output']['routes'][number]
type LimitView = Operations['limits.list']['output']['limits'][number]

interface Route {
  readonly name: string
  readonly to: string
  readonly rules: readonly string[]
  readonly perSecond: number
  readonly refusedShare: number
  readonly latencyMs: number
  readonly dryRun?: boolean
}

const routes: readonly Route[] = [
  {
    name: 'POST /login',
    to: 'web',
    rules: ['5/min per ip', '300/min'],
    perSecond: 6,
    refusedShare: 0.37,
    latencyMs: 84,
  },
  {
    name: 'POST /accounts',
    to: 'web',
    rules: ['3/hour per ip'],
    perSecond: 0.4,
    refusedShare: 0,
    latencyMs: 112,
  },
  {
    name: 'GET /scores',
    to: 'web',
    rules: ['120/min per ip burst 60'],
    perSecond: 210,
    refusedShare: 0.004,
    latencyMs: 9,
  },
  {
    name: 'POST /scores',
    to: 'web',
    rules: ['30/min per ip'],
    perSecond: 38,
    refusedShare: 0.01,
    latencyMs: 14,
  },
  {
    name: 'POST /chat',
    to: 'web',
    rules: ['5/10s per ip'],
    perSecond: 24,
    refusedShare: 0.12,
    latencyMs: 11,
  },
  {
    name: 'POST /exports',
    to: 'web',
    rules: ['2 at once per ip', 'dry run 10/hour per ip'],
    perSecond: 0.1,
    refusedShare: 0,
    latencyMs: 2400,
    dryRun: true,
  },
  {
    name: 'GET /assets/*',
    to: 'web',
    rules: ['600/min per ip'],
    perSecond: 118,
    refusedShare: 0,
    latencyMs: 2.1,
  },
  {
    name: 'POST /pay',
    to: 'payments',
    rules: ['10/min per ip'],
    perSecond: 1.2,
    refusedShare: 0,
    latencyMs: 190,
  },
  {
    name: '/*',
    to: 'web',
    rules: ['120/min per ip burst 60'],
    perSecond: 14,
    refusedShare: 0.02,
    latencyMs: 21,
  },
]

// Noise that is the same for the same moment and place, so that a chart does not dance between two answers.
function noise(at: number, seed: number): number {
  const mixed = Math.sin(at * 0.000_127_1 + seed * 311.7) * 43_758.545
  return mixed - Math.floor(mixed)
}

const swell = (at: number): number =>
  1 + 0.28 * Math.sin(at / 700_000) + 0.1 * Math.sin(at / 90_000) + 0.12 * Math.sin(at / 23_000)

// An abuser who comes and goes.
const abuse = (at: number): number => Math.max(0.45, Math.sin(at / 260_000)) ** 2

const served = (route: Route, at: number, seed: number): number =>
  route.perSecond * (1 - route.refusedShare) * swell(at) * (0.86 + 0.28 * noise(at, seed))
const refused = (route: Route, at: number, seed: number): number =>
  route.perSecond * route.refusedShare * 2.4 * abuse(at) * (0.6 + 0.8 * noise(at, seed + 50))

const limitName = (route: Route): string => `edge.route.${route.name}`
const round = (value: number): number => Math.round(value * 100) / 100

/** Every route as `edge.routes` answers. */
export function routeViews(now: number): readonly RouteView[] {
  const views = routes.map((route, seed): RouteView => {
    const refusedPerSecond = round(refused(route, now, seed))
    const requestsPerSecond = round(served(route, now, seed)) + refusedPerSecond
    return {
      name: route.name,
      to: route.to,
      limits: [...route.rules],
      unlimitedBecause: null,
      requestsPerSecond,
      refusedPerSecond,
      errorShare: route.name === 'POST /pay' ? 0.004 : 0,
      p50Ms: route.latencyMs,
      p95Ms: round(route.latencyMs * (2.2 + noise(now, seed))),
      p99Ms: round(route.latencyMs * (4 + 2 * noise(now, seed))),
      bytesInPerSecond: Math.round(requestsPerSecond * 320),
      bytesOutPerSecond: Math.round(requestsPerSecond * (route.name.includes('assets') ? 24_000 : 900)),
    }
  })
  const idle = {
    to: '',
    unlimitedBecause: null,
    errorShare: 0,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
    bytesInPerSecond: 0,
    bytesOutPerSecond: 0,
  }
  return [
    ...views,
    { ...idle, name: '(unmatched)', limits: ['60/min per ip'], requestsPerSecond: 0.2, refusedPerSecond: 0 },
    { ...idle, name: '(malformed)', limits: [], requestsPerSecond: 0, refusedPerSecond: 0 },
  ]
}

/** Every limit as `limits.list` answers. */
export function limitViews(now: number): readonly LimitView[] {
  const tally = (perSecond: number): { lastMinute: number; lastHour: number } => ({
    lastMinute: Math.round(perSecond * 60),
    lastHour: Math.round(perSecond * 3300),
  })
  const views = routes.flatMap((route, seed) =>
    route.rules.map((rule, index): LimitView => {
      const dryRun = rule.startsWith('dry run')
      const bites = index === 0 ? refused(route, now, seed) : 0
      return {
        name: limitName(route),
        rule,
        route: route.name,
        dryRun,
        admitted: tally(served(route, now, seed)),
        refused: tally(dryRun ? 0 : bites),
        wouldRefuse: tally(dryRun ? 0.01 : 0),
        door: 'edge',
        fast: false,
      }
    }),
  )
  const none = { lastMinute: 0, lastHour: 0 }
  return [
    ...views,
    ...appLimitViews(now),
    {
      name: 'edge.unmatched',
      rule: '60/min per ip',
      route: null,
      dryRun: false,
      admitted: tally(0.2),
      refused: none,
      wouldRefuse: none,
      door: 'edge',
      fast: false,
    },
  ]
}

const mails = { limit: 'app.email.send', rules: ['20/hour per user', '600/hour'] } as const

/** An application limit with two rules, of which the first refuses. */
function appLimitViews(now: number): readonly LimitView[] {
  const tally = (perSecond: number) => ({
    lastMinute: Math.round(perSecond * 60),
    lastHour: Math.round(perSecond * 3300),
  })
  return mails.rules.map((rule, index) => ({
    name: mails.limit,
    rule,
    route: null,
    dryRun: false,
    admitted: tally(mailsAt(now)),
    refused: tally(index === 0 ? refusedMailsAt(now) : 0),
    wouldRefuse: tally(0),
    door: 'app' as const,
    fast: false,
  }))
}

const mailsAt = (at: number): number => 0.09 + 0.04 * noise(at, 7)
const refusedMailsAt = (at: number): number => Math.max(0, 0.12 * noise(at, 9) - 0.06)

/** Totals as `edge.traffic` answers. */
export function trafficView(now: number): Operations['edge.traffic']['output'] {
  const views = routeViews(now)
  const sum = (of: (view: RouteView) => number): number =>
    round(views.reduce((total, view) => total + of(view), 0))
  return {
    says: 'traffic as usual',
    requestsPerSecond: sum((view) => view.requestsPerSecond),
    refusedPerSecond: sum((view) => view.refusedPerSecond),
    errorShare: 0.0004,
    p95Ms: round(31 + 6 * noise(now, 3)),
    connections: Math.round(180 * swell(now)),
    biting: [],
    unhealthyTargets: [],
    serves: true,
    reportedAt: Math.floor(now) - 400,
  }
}

/** Two groups of a service, the new one not as good. */
export const measuredGroups: NonNullable<Operations['edge.traffic']['output']['groups']> = [
  { service: 'web', group: groupsOfWeb[0], requestsPerSecond: 61.4, errorShare: 0.0004, p95Ms: 31 },
  { service: 'web', group: groupsOfWeb[1], requestsPerSecond: 3.2, errorShare: 0.021, p95Ms: 88 },
]

interface Line {
  readonly labels: Record<string, string>
  readonly kind: Answer['series'][number]['kind']
  readonly value: (at: number) => number
}

function linesOf(name: string, now: number): readonly Line[] {
  const counter = (
    label: string,
    value: (route: Route, at: number, seed: number) => number,
  ): readonly Line[] =>
    routes.map((route, seed) => ({
      labels: label === 'limit' ? { limit: limitName(route) } : { route: route.name, class: '2xx' },
      kind: 'counter',
      value: (at) => value(route, at, seed),
    }))
  const gauge = (value: (at: number, slot: number) => number): readonly Line[] =>
    ['web/1', 'web/2', 'mailer/1'].map((replica, slot) => ({
      labels: { replica },
      kind: 'gauge',
      value: (at) => value(at, slot),
    }))
  switch (name) {
    case 'edge.requests':
      return counter('route', served)
    case 'edge.refused':
      return counter('limit', refused).filter((_, index) => (routes[index]?.refusedShare ?? 0) > 0)
    case 'limits.admitted':
      return mails.rules.map((rule) => ({
        labels: { limit: mails.limit, rule },
        kind: 'counter',
        value: mailsAt,
      }))
    case 'limits.refused':
      return [
        { labels: { limit: mails.limit, rule: mails.rules[0] }, kind: 'counter', value: refusedMailsAt },
      ]
    case 'edge.latency-ms':
      return [
        {
          labels: { route: 'GET /scores' },
          kind: 'distribution',
          value: (at) =>
            12 * (0.8 + 0.4 * noise(at, 2)) * (now - at < 2_460_000 && now - at > 2_370_000 ? 9 : 1),
        },
      ]
    case 'environment.cpu':
      return gauge((at, slot) => (slot === 2 ? 0.03 : 0.26) * swell(at) * (0.8 + 0.4 * noise(at, slot)))
    case 'environment.memory-bytes':
      return gauge((at, slot) => (118 + slot * 21 + 8 * noise(at, slot)) * 2 ** 20)
    default:
      return []
  }
}

const stepsMs = [1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 300_000, 900_000, 3_600_000]

/** A measure over time as `series.query` answers. */
export function seriesOf(query: Query, now: number): Answer {
  const wanted = Object.entries(query.labels ?? {})
  const stepMs =
    stepsMs.find((step) => (query.to - query.from) / step <= (query.maxPoints ?? 200)) ?? 3_600_000
  const lines = linesOf(query.name, now).filter(({ labels }) =>
    wanted.every(([label, value]) => labels[label] === value),
  )
  const from = Math.ceil(query.from / stepMs) * stepMs
  const moments = Array.from(
    { length: Math.ceil((query.to - from) / stepMs) },
    (_, index) => from + index * stepMs,
  )
  const series = lines.map(({ labels, kind, value }) => ({
    name: query.name,
    labels,
    kind,
    stepMs,
    points: moments.map((at) => {
      const one = value(at)
      const sum = kind === 'counter' ? one * (stepMs / 1000) : one
      const spread =
        kind === 'distribution'
          ? { p50: one, p95: one * 2.4, p99: one * 4.6 }
          : { p50: null, p95: null, p99: null }
      return { at, count: 1, sum, minimum: one, maximum: one, ...spread }
    }),
  }))
  return { series }
}
