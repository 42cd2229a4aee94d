import type { EdgeReport, LatencyRollUp } from '../../contracts/edge-policy.ts'
import { measured, type SeriesStore } from '../../kernel/series/index.ts'
import { biteKey } from './decide.ts'
import type { UseGround } from './use.ts'

/** Records a second of the edge. */
export function recordReport(series: SeriesStore, report: EdgeReport): void {
  const { at } = report
  const count = (name: string, labels: Readonly<Record<string, string>>, value: number): void => {
    if (value > 0) series.record({ name, labels }, 'counter', measured(at, value))
  }
  const spread = (
    name: string,
    labels: Readonly<Record<string, string>>,
    { buckets, ...latency }: LatencyRollUp,
  ): void => {
    if (latency.count === 0) return
    series.record({ name, labels }, 'distribution', { at, ...latency, histogram: { buckets } })
  }
  series.record({ name: 'edge.connections', labels: {} }, 'gauge', measured(at, report.connections))
  for (const { route, classes, bytesIn, bytesOut, latency } of report.routes) {
    for (const [index, answers] of classes.entries()) {
      count('edge.requests', { route, class: `${index + 1}xx` }, answers)
    }
    count('edge.bytes-in', { route }, bytesIn)
    count('edge.bytes-out', { route }, bytesOut)
    spread('edge.latency-ms', { route }, latency)
  }
  for (const { upstream: service, group, requests, failures, latency } of report.groups ?? []) {
    count('edge.group.requests', { service, group }, requests)
    count('edge.group.failures', { service, group }, failures)
    spread('edge.group.latency-ms', { service, group }, latency)
  }
  for (const { name: limit, rule, admitted, refused, wouldRefuse } of report.limits) {
    count('edge.admitted', { limit, rule }, admitted)
    count('edge.refused', { limit, rule }, refused)
    count('edge.would-refuse', { limit, rule }, wouldRefuse)
  }
}

/** Start of the last second that was recorded, or null; looks back ten minutes, more than the edge remembers. */
export async function lastRecorded(series: SeriesStore, nowMs: number): Promise<number | null> {
  const query = { name: 'edge.connections', from: nowMs - 600_000, to: nowMs + 60_000, maxPoints: 2000 }
  const points = (await series.query(query)).flatMap((answer) => answer.points)
  return points.length === 0 ? null : Math.max(...points.map(({ at }) => at))
}

/** How often a limit refused since a time. */
export async function refusedSince(
  series: SeriesStore,
  limit: { readonly limit: string; readonly rule: string },
  span: { readonly from: number; readonly to: number },
): Promise<number> {
  const answers = await series.query({ name: 'edge.refused', labels: { ...limit }, ...span, maxPoints: 2000 })
  return answers.flatMap(({ points }) => points).reduce((sum, point) => sum + point.sum, 0)
}

/** What each limit did in the last hour. */
export async function limitsLastHour(series: SeriesStore, nowMs: number): Promise<UseGround['lastHour']> {
  const span = { from: nowMs - 3_600_000, to: nowMs, maxPoints: 60 }
  const names = {
    admitted: 'edge.admitted',
    refused: 'edge.refused',
    wouldRefuse: 'edge.would-refuse',
  } as const
  const sums = new Map<string, { admitted: number; refused: number; wouldRefuse: number }>()
  for (const [what, name] of Object.entries(names) as [keyof typeof names, string][]) {
    for (const { key, points } of await series.query({ name, ...span })) {
      const id = biteKey(key.labels['limit'] ?? '', key.labels['rule'] ?? '')
      const sum = sums.get(id) ?? { admitted: 0, refused: 0, wouldRefuse: 0 }
      sum[what] += points.reduce((total, point) => total + point.sum, 0)
      sums.set(id, sum)
    }
  }
  return sums
}
