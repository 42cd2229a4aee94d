import { z } from 'zod'
import { declareOperation } from '../declare.ts'
import { moment, nothing } from '../shapes.ts'

const key = z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()) })

/** Operations on measures. */
export const seriesOperations = {
  query: declareOperation({
    name: 'series.query',
    summary: 'Show how a measure went over time',
    input: z.strictObject({
      name: z.string().describe('as edge.requests'),
      labels: z.record(z.string(), z.string()).optional(),
      from: moment,
      to: moment,
      maxPoints: z.number().int().min(10).max(2000).default(200),
    }),
    output: z.strictObject({
      series: z.array(
        z.strictObject({
          ...key.shape,
          kind: z.enum(['counter', 'gauge', 'distribution']),
          stepMs: z.number().int(),
          points: z.array(
            z.strictObject({
              at: moment,
              count: z.number(),
              sum: z.number(),
              minimum: z.number(),
              maximum: z.number(),
              p50: z.number().nullable(),
              p95: z.number().nullable(),
              p99: z.number().nullable(),
            }),
          ),
        }),
      ),
    }),
    permission: 'view',
    limit: '600/min per caller burst 200',
  }),
  list: declareOperation({
    name: 'series.list',
    summary: 'Show which measures there are',
    input: nothing,
    output: z.strictObject({ series: z.array(key), dropped: z.number().int() }),
    permission: 'view',
    command: { words: 'measures', positional: [] },
  }),
} as const
