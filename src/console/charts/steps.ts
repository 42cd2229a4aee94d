import type { Operations } from '../../contracts/index.ts'

type Series = Operations['series.query']['output']['series']
type Point = Series[number]['points'][number]

/** A point of a line. */
export type At = readonly [at: number, value: number | null]

/** The window that a chart shows, milliseconds since the epoch. */
export interface Window {
  readonly from: number
  readonly to: number
}

const stepOf = (series: Series, leastMs: number): number =>
  series.reduce((step, one) => Math.max(step, one.stepMs), leastMs)

// The step that is still going on is only half counted and would always look like a fall.
const isWhole = (at: number, stepMs: number, window: Window): boolean => at + stepMs <= window.to

// What the edge counted reaches control a second or two later; until then a missing step is not yet a nothing.
const reportDelayMs = 3000

/**
 * Adds counters up to one line of events per second. From the first count on, a step in which nothing was counted is
 * 0, also at the end. No step is shorter than `leastStepMs`.
 */
export function perSecond(series: Series, window: Window, leastStepMs = 1000): readonly At[] {
  const stepMs = stepOf(series, leastStepMs)
  const sums = new Map<number, number>()
  for (const one of series) {
    for (const { at, sum } of one.points) {
      const step = Math.floor(at / stepMs) * stepMs
      if (isWhole(step, stepMs, window)) sums.set(step, (sums.get(step) ?? 0) + sum)
    }
  }
  const moments = [...sums.keys()]
  if (moments.length === 0) return []
  const first = moments.reduce((a, b) => Math.min(a, b))
  const settled = Math.floor((window.to - reportDelayMs) / stepMs) * stepMs - stepMs
  const last = moments.reduce((a, b) => Math.max(a, b), settled)
  const steps = Math.round((last - first) / stepMs) + 1
  return Array.from({ length: steps }, (_, index): At => {
    const at = first + index * stepMs
    return [at, (sums.get(at) ?? 0) / (stepMs / 1000)]
  })
}

/** The same per minute, in steps of a minute at least: what comes rarely would else be all peaks. */
export function perMinute(series: Series, window: Window): readonly At[] {
  return perSecond(series, window, 60_000).map(([at, value]) => [at, value === null ? null : value * 60])
}

/** A line of nothing over the same moments: where a limit has never refused, 0 is known and not missing. */
export const nothingOver = (line: readonly At[]): readonly At[] => line.map(([at]) => [at, 0])

/** The means of a gauge; a step without a measurement is a gap of the line where more than two are missing. */
export function means(series: Series[number], window: Window): readonly At[] {
  return withGaps(series, window, (point) => (point.count === 0 ? null : point.sum / point.count))
}

/** A quantile of a distribution. */
export function quantile(
  series: Series[number],
  window: Window,
  which: 'p50' | 'p95' | 'p99',
): readonly At[] {
  return withGaps(series, window, (point) => point[which])
}

function withGaps(series: Series[number], window: Window, value: (point: Point) => number | null): At[] {
  const line: At[] = []
  let last: number | undefined
  for (const point of series.points) {
    if (!isWhole(point.at, series.stepMs, window)) continue
    if (last !== undefined && point.at - last > 3 * series.stepMs) line.push([last + series.stepMs, null])
    line.push([point.at, value(point)])
    last = point.at
  }
  return line
}

/** The highest of several lines at each moment: the slowest route, the fullest replica. */
export function highest(lines: readonly (readonly At[])[]): readonly At[] {
  const most = new Map<number, number | null>()
  for (const line of lines) {
    for (const [at, value] of line) {
      const known = most.get(at)
      most.set(at, known === undefined || known === null ? value : Math.max(known, value ?? known))
    }
  }
  return [...most.entries()].sort(([a], [b]) => a - b)
}
