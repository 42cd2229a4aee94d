import type { Operations } from '../../contracts/index.ts'
import type { Chart, ChartLine, Tone } from './chart.ts'
import { highest, means, nothingOver, perMinute, perSecond, quantile, type At, type Window } from './steps.ts'

type Series = Operations['series.query']['output']['series']

/** What passed and what was refused; without a refusal on record, none is known to have been. */
function passedAndRefused(
  passed: Series,
  refused: Series,
  add: (series: Series) => readonly At[],
): readonly [At[], At[]] {
  const [served, turnedAway] = [add(passed), add(refused)]
  return [[...served], [...(turnedAway.length === 0 ? nothingOver(served) : turnedAway)]]
}

const isFailure = (series: Series[number]): boolean => series.labels['class'] === '5xx'

/** Requests per second that were let through, the ones that a limit refused, and server errors if there were any. */
export function trafficChart(requests: Series, refused: Series, window: Window): Chart {
  const [served, turnedAway] = passedAndRefused(requests, refused, (series) => perSecond(series, window))
  const failures = perSecond(requests.filter(isFailure), window)
  const failed = failures.some(([, value]) => (value ?? 0) > 0)
  const lines: readonly ChartLine[] = [
    { name: 'served', tone: 'lead', filled: true, points: served },
    { name: 'refused', tone: 'bite', points: turnedAway },
    ...(failed ? [{ name: 'server errors', tone: 'bad' as Tone, dashed: true, points: failures }] : []),
  ]
  return { title: 'Requests per second', unit: 'per-second', ...window, lines }
}

/** How long requests took: median, p95 and p99. Of several routes the slowest at each moment. */
export function latencyChart(latencies: Series, window: Window): Chart {
  const line = (which: 'p50' | 'p95' | 'p99'): ChartLine['points'] =>
    highest(latencies.map((series) => quantile(series, window, which)))
  return {
    title: latencies.length > 1 ? 'Time to answer, slowest route' : 'Time to answer',
    unit: 'milliseconds',
    ...window,
    lines: [
      { name: 'p50', tone: 'quiet', points: line('p50') },
      { name: 'p95', tone: 'lead', points: line('p95') },
      { name: 'p99', tone: 'quiet', dashed: true, points: line('p99') },
    ],
  }
}

/** What one limit admitted and refused: requests per second, or takes of an application per minute. */
export function limitChart(
  { admitted, refused }: { readonly admitted: Series; readonly refused: Series },
  window: Window,
  unit: 'per-second' | 'per-minute',
): Chart {
  const add = unit === 'per-minute' ? perMinute : perSecond
  const [passed, turnedAway] = passedAndRefused(admitted, refused, (series) => add(series, window))
  return {
    title: unit === 'per-minute' ? 'Takes per minute' : 'Admitted and refused per second',
    unit,
    ...window,
    lines: [
      { name: 'admitted', tone: 'lead', filled: true, points: passed },
      { name: 'refused', tone: 'bite', points: turnedAway },
    ],
  }
}

const mostReplicaLines = 6

/** CPU or memory of a service's replicas, a line each; of many the ones with the most. */
export function replicaChart(
  measured: Series,
  of: { readonly title: string; readonly unit: 'cores' | 'bytes' },
  window: Window,
): Chart {
  const lines = measured
    .map((series) => ({ name: series.labels['replica'] ?? '', points: means(series, window) }))
    .sort((a, b) => (b.points.at(-1)?.[1] ?? 0) - (a.points.at(-1)?.[1] ?? 0))
    .slice(0, mostReplicaLines)
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    .map((line, index): ChartLine => ({
      ...line,
      tone: index === 0 ? 'lead' : 'other',
      dashed: index % 2 === 1,
    }))
  return { ...of, ...window, lines }
}
