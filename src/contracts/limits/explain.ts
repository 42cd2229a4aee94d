import { z } from 'zod'
import { declareOperation } from '../declare.ts'
import { ban, override, unitsTaken } from '../limits.ts'
import { moment } from '../shapes.ts'

const door = z.enum(['edge', 'app'])

const route = z.strictObject({
  route: z.string(),
  admitted: z.number().int(),
  refused: z.number().int(),
})

/** A time in which a limit refused a subject, with at most two quiet minutes in a row. */
export const refusalSpell = z.strictObject({
  door,
  limit: z.string().describe('full name, as app.email.send or edge.route.POST /login'),
  rule: z.string().describe('in the notation of limits, as it was then; empty: a ban'),
  allows: z.array(z.string()).describe('the rules of that limit now; empty: it is no longer there'),
  subject: z.string().describe('as the limit counts it; several dimensions as "user:42 and guild:7"'),
  from: moment.describe('start of the first minute with a refusal, milliseconds since 1970'),
  until: moment.describe('end of the last minute with a refusal, milliseconds since 1970'),
  ended: z.boolean().describe('false: it may go on'),
  shared: z
    .string()
    .optional()
    .describe('how exactly several edges keep the limit together; absent: one edge counts alone'),
  refused: z.number().int().describe('how often'),
  wouldRefuse: z.number().int().describe('how often a dry run would have refused'),
  admitted: z.number().int().describe('how often in each minute, since the first refusal'),
  units: unitsTaken.optional(),
  routes: z.array(route).max(20).describe('what used it up, most first; empty for application limits'),
  minutes: z
    .array(z.strictObject({ at: moment, refused: z.number().int(), admitted: z.number().int() }))
    .max(150),
})

const measure = { refused: z.number().int(), wouldRefuse: z.number().int(), admitted: z.number().int() }

/** Operations that answer from what the doors said about their refusals. */
export const explainOperations = {
  explain: declareOperation({
    name: 'limits.explain',
    summary: 'Say why a subject was refused around a time, from the timeline',
    input: z.strictObject({
      subject: z
        .string()
        .regex(/^[a-z][a-z0-9:-]{0,63}:[^\s].{0,199}$/, 'a dimension and a value, as user:42')
        .describe('a dimension and a value, as user:42 or ip:203.0.113.7'),
      at: moment.optional().describe('milliseconds since 1970; default: now'),
      limit: z.string().max(200).optional().describe('only limits with this in their name'),
    }),
    output: z.strictObject({
      says: z.string().describe('the answer in a sentence or two'),
      subjects: z.array(z.string()).describe('what was looked for; for an address also its network'),
      at: moment,
      from: moment.describe('what was looked through begins here'),
      until: moment.describe('and ends here'),
      reachesBackTo: moment.nullable().describe('the oldest fact of the timeline; null: there is none'),
      spells: z.array(refusalSpell).max(100).describe('nearest to the time first'),
      gaps: z
        .array(z.strictObject({ from: moment, until: moment }))
        .max(20)
        .describe('times of which nothing is known of the edge: control was away for too long'),
      bans: z.array(ban.extend({ liftedAt: moment.nullable(), holds: z.boolean() })).max(50),
      overrides: z.array(override.extend({ liftedAt: moment.nullable(), holds: z.boolean() })).max(50),
    }),
    permission: 'view',
    command: { words: 'limits explain', positional: ['subject'] },
  }),
  offenders: declareOperation({
    name: 'limits.offenders',
    summary: 'Show whom limits refused most, at every door',
    input: z.strictObject({
      since: moment.optional().describe('milliseconds since 1970; default: an hour ago; at most a week'),
    }),
    output: z.strictObject({
      says: z.string(),
      from: moment,
      until: moment,
      subjects: z
        .array(z.strictObject({ subject: z.string(), ...measure, limits: z.array(z.string()).max(20) }))
        .max(50)
        .describe('refused most first; an empty subject: everybody'),
      limits: z
        .array(z.strictObject({ door, limit: z.string(), ...measure, subjects: z.number().int() }))
        .max(50),
      steps: z
        .array(z.strictObject({ at: moment, refused: z.number().int(), admitted: z.number().int() }))
        .max(240)
        .describe('of equal length, without gaps'),
      stepMs: z.number().int(),
    }),
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'limits offenders', positional: [] },
  }),
} as const

/** A time in which a limit refused a subject. */
export type RefusalSpell = z.infer<typeof refusalSpell>
/** Why a subject was refused. */
export type Explanation = z.infer<(typeof explainOperations.explain)['output']>
/** Whom limits refused most. */
export type OffenderView = z.infer<(typeof explainOperations.offenders)['output']>
