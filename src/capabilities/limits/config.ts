import { z } from 'zod'

const rules = z.union([z.string(), z.array(z.string()).min(1).max(8)])

const limitName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}(\.[a-z0-9][a-z0-9-]{0,30}){0,2}$/,
    'lower-case words of letters, digits and dashes with dots between, as "email.send"',
  )

/** One limit: its rules, or rules with how they are kept. */
const limit = z.union([
  rules,
  z.strictObject({
    limit: rules.describe('what bounds it, as "20/hour per user"; of several, each must admit'),
    fast: z
      .boolean()
      .default(false)
      .describe('answers before it is on disk: a crash may forget the last 50 ms, at most 1,000 takes'),
  }),
])

/** The section `limits` of the environment file: application limits by name. */
export const limitsConfig = z
  .record(limitName, limit)
  .refine((limits) => Object.keys(limits).length <= 500, 'at most 500 limits')
  .default({})
  .describe(
    'what the application may give away, as { "email.send": "20/hour per user" }: it asks by `limits.take`',
  )

/** The section as parsed. */
export type LimitsConfig = z.output<typeof limitsConfig>
