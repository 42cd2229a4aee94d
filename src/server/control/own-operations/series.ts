import { seriesOperations } from '../../../contracts/index.ts'
import { bindValue, type Context, type OperationBinding } from '../../../kernel/capability/index.ts'
import { quantileOf, type Point } from '../../../kernel/series/index.ts'
import type { InputOf, OutputOf } from '../../../kernel/std/index.ts'

type Answer = OutputOf<typeof seriesOperations.query>

function drawn(point: Point): Answer['series'][number]['points'][number] {
  const { at, count, sum, minimum, maximum } = point
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => quantileOf(point, q))
  return { at, count, sum, minimum, maximum, p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null }
}

async function query(context: Context, input: InputOf<typeof seriesOperations.query>): Promise<Answer> {
  const { name, labels, from, to, maxPoints } = input
  const wanted = { name, from, to, maxPoints, ...(labels === undefined ? {} : { labels }) }
  const answers = await context.series.query(wanted)
  return {
    series: answers.map(({ key, kind, stepMs, points }) => ({
      name: key.name,
      labels: { ...key.labels },
      kind,
      stepMs,
      points: points.map(drawn),
    })),
  }
}

/** Binds the operations on measures. */
export function bindSeries(context: Context): readonly OperationBinding[] {
  return [
    bindValue(seriesOperations.query, (input) => query(context, input)),
    bindValue(seriesOperations.list, async () => ({
      series: (await context.series.list()).map(({ name, labels }) => ({ name, labels: { ...labels } })),
      dropped: context.series.dropped,
    })),
  ]
}
