import { merge, quantile, type SeriesAnswer, type SeriesStore } from '../../../kernel/series/index.ts'
import type { GroupMeasures } from './judge.ts'

/** Which groups are measured, and over what time (milliseconds since the epoch). */
export interface Measured {
  readonly service: string
  readonly fresh: string
  readonly from: number
  readonly to: number
}

/** What the edge measured of the new group and of all others of its service. */
export interface MeasuredSides {
  readonly fresh: GroupMeasures
  readonly old: GroupMeasures
}

function sumOf(answers: readonly SeriesAnswer[]): number {
  return answers.flatMap(({ points }) => points).reduce((sum, point) => sum + point.sum, 0)
}

function p95Of(answers: readonly SeriesAnswer[]): number | null {
  const all = answers.flatMap(({ points }) => points).flatMap(({ histogram }) => histogram ?? [])
  return all.length === 0 ? null : quantile(all.reduce(merge), 0.95)
}

/** Reads what the edge publishes of the groups of a service, of latency the second half; nothing measured is no requests. */
export async function measureSides(
  series: Pick<SeriesStore, 'query'>,
  { service, fresh, from, to }: Measured,
): Promise<MeasuredSides> {
  const ask = (name: string, since: number) => series.query({ name, labels: { service }, from: since, to })
  const [requests, failures, latency] = await Promise.all([
    ask('edge.group.requests', from),
    ask('edge.group.failures', from),
    // Whoever has just begun is slow: nothing is compiled, nothing is cached, no connection is open.
    ask('edge.group.latency-ms', to - (to - from) / 2),
  ])
  const side = (isFresh: boolean): GroupMeasures => {
    const ofSide = (answers: readonly SeriesAnswer[]) =>
      answers.filter(({ key }) => (key.labels['group'] === fresh) === isFresh)
    return {
      requests: sumOf(ofSide(requests)),
      failures: sumOf(ofSide(failures)),
      p95Ms: p95Of(ofSide(latency)),
    }
  }
  return { fresh: side(true), old: side(false) }
}
