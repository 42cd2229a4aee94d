import type { Operations } from '../../contracts/index.ts'
import { useHouse, usePoll } from './house.ts'
import type { Poll } from './polls.ts'

/** A measure over time, as answered. */
export type Measures = Operations['series.query']['output']['series']

/** The windows of time that a chart offers. */
export const ranges = { '5m': 300_000, '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 } as const

/** One of the windows of time. */
export type Range = keyof typeof ranges

const youngMs = 12 * 60_000

/** The window that suits what has run since `since` (epoch ms; null: unknown): an hour of a new house is mostly empty. */
export function fittingRange(since: number | null, now: number): Range {
  return since !== null && now - since < youngMs ? '5m' : '1h'
}

/** What to draw. */
export interface Measured {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly range: Range
}

const periods: Readonly<Record<Range, number>> = { '5m': 2000, '1h': 10_000, '24h': 60_000, '7d': 300_000 }

/** A measure over the last `range`, kept fresh at a pace that fits its steps. */
export function useMeasure(
  measured: Measured,
): Poll<{ readonly series: Measures }> & { readonly until: number } {
  const house = useHouse()
  const { name, labels, range } = measured
  const poll = usePoll(
    'series.query',
    () => {
      const to = Math.floor(house.now())
      return { name, from: to - ranges[range], to, maxPoints: 240, ...(labels && { labels }) }
    },
    { periodMs: periods[range], key: JSON.stringify([name, labels, range]) },
  )
  return { ...poll, until: poll.at + house.connection.get().skewMs }
}
