import { z } from 'zod'

/** What the process that evaluates an environment file answers. */
export const evaluationAnswer = z.union([
  z.object({ value: z.json() }),
  z.object({ trouble: z.object({ path: z.string(), message: z.string() }) }),
  z.object({ failure: z.string(), stack: z.string() }),
])

/** What the process that evaluates an environment file answers. */
export type EvaluationAnswer = z.infer<typeof evaluationAnswer>
