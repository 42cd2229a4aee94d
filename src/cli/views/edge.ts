import { sayDuration, saySize } from '../../kernel/std/index.ts'
import type { Operations } from '../../contracts/index.ts'
import { harmless, pad, sayAgo, table, type Paper } from '../output/index.ts'
import { limitTable } from './limit-table.ts'
import type { Views } from './view.ts'

type Traffic = Operations['edge.traffic']['output']
type Group = NonNullable<Traffic['groups']>[number]
type Route = Operations['edge.routes']['output']['routes'][number]

/** `412`, `3.2`, `0.05`; nothing for nothing. */
function sayRate(perSecond: number): string {
  if (perSecond === 0) return '0'
  if (perSecond >= 100) return String(Math.round(perSecond))
  return perSecond >= 1 ? perSecond.toFixed(1) : perSecond.toFixed(2)
}

const sayLatency = (durationMs: number | null): string =>
  durationMs === null ? '–' : sayDuration(durationMs)

function sayShare(share: number): string {
  if (share === 0) return '0%'
  return share < 0.001 ? '<0.1%' : `${(share * 100).toFixed(1)}%`
}

function trafficLines(traffic: Traffic, paper: Paper): readonly string[] {
  const { biting, unhealthyTargets, reportedAt } = traffic
  const rows = [
    ['requests', `${sayRate(traffic.requestsPerSecond)}/s`],
    ['refused', `${sayRate(traffic.refusedPerSecond)}/s`],
    ['errors (5xx)', sayShare(traffic.errorShare)],
    ['p95', sayLatency(traffic.p95Ms)],
    ['connections', String(traffic.connections)],
    ['biting limits', biting.length === 0 ? 'none' : paper.paint('warning', biting.join(', '))],
    [
      'ill replicas',
      unhealthyTargets.length === 0 ? 'none' : paper.paint('bad', unhealthyTargets.join(', ')),
    ],
  ] as const
  const reported =
    reportedAt === null ? 'the edge has not reported yet' : `as of ${sayAgo(reportedAt, paper.nowMs)}`
  return [
    paper.paint('strong', harmless(traffic.says)),
    paper.paint('dim', `averages of the last minute, ${reported}`),
    '',
    ...rows.map(([label, value]) => `  ${pad(label, 14)}  ${value}`),
    ...groupLines(traffic.groups ?? [], paper),
  ]
}

const groupColumns = [
  { title: 'SERVICE' },
  { title: 'GROUP' },
  { title: 'REQ/S', align: 'right' },
  { title: 'ERRORS', align: 'right' },
  { title: 'P95', align: 'right' },
] as const

/** Nothing, unless a service runs in more than one group. */
function groupLines(groups: readonly Group[], paper: Paper): readonly string[] {
  if (groups.length === 0) return []
  const rows = groups.map(({ service, group, requestsPerSecond, errorShare, p95Ms }) => [
    service,
    group === '' ? '–' : harmless(group),
    sayRate(requestsPerSecond),
    paper.paint(errorShare > 0 ? 'bad' : 'plain', sayShare(errorShare)),
    sayLatency(p95Ms),
  ])
  return ['', ...table(groupColumns, rows, paper)]
}

function routeRow(route: Route, paper: Paper): readonly string[] {
  const { unlimitedBecause, limits } = route
  return [
    route.name,
    route.to,
    sayRate(route.requestsPerSecond),
    paper.paint(route.refusedPerSecond > 0 ? 'warning' : 'plain', sayRate(route.refusedPerSecond)),
    paper.paint(route.errorShare > 0 ? 'bad' : 'plain', sayShare(route.errorShare)),
    sayLatency(route.p50Ms),
    sayLatency(route.p99Ms),
    `${saySize(route.bytesOutPerSecond)}/s`,
    unlimitedBecause === null ? limits.join(', ') : `unlimited: ${harmless(unlimitedBecause)}`,
  ]
}

const routeColumns = [
  { title: 'ROUTE' },
  { title: 'TO' },
  { title: 'REQ/S', align: 'right' },
  { title: 'REFUSED/S', align: 'right' },
  { title: 'ERRORS', align: 'right' },
  { title: 'P50', align: 'right' },
  { title: 'P99', align: 'right' },
  { title: 'OUT', align: 'right' },
  { title: 'LIMITS' },
] as const

/** How the operations of the edge are drawn. */
export const edgeViews = {
  'edge.traffic': trafficLines,
  'edge.routes': ({ says, routes }, paper) => [
    paper.paint('strong', harmless(says)),
    '',
    ...table(
      routeColumns,
      routes.map((route) => routeRow(route, paper)),
      paper,
    ),
  ],
  'edge.limits': ({ says, limits }, paper) => [
    ...limitTable({ says, limits }, paper),
    ...limits.flatMap(({ shared }) => (shared === undefined ? [] : ['', harmless(shared)])),
  ],
} satisfies Views
