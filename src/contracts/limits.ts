import { z } from 'zod'
import { parseDuration } from '../kernel/std/index.ts'
import { declareFact, declareOperation } from './declare.ts'
import { limitView } from './edge.ts'
import { moment, nothing } from './shapes.ts'

/** At most so many takes in one call. */
export const mostTakesInCall = 100
/** A reservation's lease, unless the call says otherwise. */
export const defaultLeaseMs = 60_000

const longestForMs = 3660 * 86_400_000

const dimension = z.string().regex(/^[a-z][a-z0-9:-]{0,63}$/, 'lower-case letters, digits and dashes')
const limitName = z
  .string()
  .min(1)
  .max(100)
  .describe('name of a limit of the environment file, without "app."')
const by = z
  .record(dimension, z.string().min(1).max(200))
  .refine((value) => Object.keys(value).length <= 8, 'at most 8 dimensions')
  .describe('what the limit counts by, as user=42; more than its rules name does no harm')
const cost = z.number().int().min(1).max(10_000_000).describe('units')
const id = z.string().regex(/^[\x21-\x7e]{1,128}$/, '1 to 128 visible ASCII characters')
const leaseMs = z.number().int().min(1000).max(86_400_000).describe('milliseconds, 1 s to 1 day')
const subject = z
  .string()
  .regex(/^[a-z][a-z0-9:-]{0,63}:[^\s].{0,199}$/, 'a dimension and a value, as user:42 or ip:203.0.113.7')
  .describe('a dimension and a value, as user:42 or ip:203.0.113.7')
const because = z.string().min(3).max(300).describe('why, for whoever reads it later')
const lasting = z
  .string()
  .refine((text) => {
    const durationMs = parseDuration(text)
    return durationMs !== undefined && durationMs >= 1000 && durationMs <= longestForMs
  }, 'write a duration from 1s to 3660d, as "30min" or "7d"')
  .describe('how long, as 30min or 7d')

const take = z.strictObject({
  limit: limitName,
  by: by.prefault({}),
  cost: cost.default(1),
  id: id
    .optional()
    .describe('idempotency key: what was admitted under it is answered again for 24 hours and takes nothing'),
})

/** What a limit says to a take. */
export const verdict = z.strictObject({
  admitted: z.boolean(),
  limit: z.string().describe('as it was asked for, without "app."'),
  rule: z
    .string()
    .nullable()
    .describe(
      'the rule that refused, else the one with the least left; null: a ban, or nothing but dry runs',
    ),
  retryAfterMs: z
    .number()
    .nullable()
    .describe(
      'milliseconds until it would be admitted if nobody else came, 0: now; null: never, it costs too much',
    ),
  remaining: z.number().int().nullable().describe('units left at this moment; null: unlimited'),
  resetsAt: moment
    .nullable()
    .describe(
      'when all of it is there again if nobody comes; null: nothing is in use, or it counts what goes on at once',
    ),
  because: z.string().nullable().describe('when refused: why, in a sentence'),
})

/** A ban that holds. */
export const ban = z.strictObject({
  subject,
  until: moment,
  because,
  since: moment,
  actor: z.string().describe('who banned'),
})

/** An override that holds. */
export const override = z.strictObject({
  limit: z.string(),
  subject,
  rule: z.string().describe('in the notation of limits'),
  until: moment,
  because,
  since: moment,
  actor: z.string().describe('who set it'),
})

/** The same in units, where a take costs more than one. */
export const unitsTaken = z
  .strictObject({ refused: z.number().int(), admitted: z.number().int(), wouldRefuse: z.number().int() })
  .describe('units; absent: one for each')

/** What one subject was refused in a minute. */
export const refusedEntry = z.strictObject({
  limit: z.string().describe('full name, as app.email.send or edge.route.POST /login'),
  rule: z.string().describe('in the notation of limits; empty: a ban'),
  subject: z.string().describe('as user:42; several dimensions as "user:42 and guild:7"; empty: everybody'),
  refused: z.number().int().describe('how often'),
  admitted: z.number().int().describe('how often, since it was first refused in this minute'),
  wouldRefuse: z.number().int().describe('how often dry runs would have refused'),
  units: unitsTaken.optional(),
  routes: z
    .array(z.strictObject({ route: z.string(), admitted: z.number().int(), refused: z.number().int() }))
    .max(20)
    .describe('empty for application limits'),
})

/** Facts about limits that hold at every door. None per take. */
export const limitsFacts = {
  banned: declareFact({
    kind: 'limits.banned',
    says: '{subject} is banned: {because}',
    severity: 'notice',
    data: z.strictObject({ subject, until: moment, because }),
  }),
  unbanned: declareFact({
    kind: 'limits.unbanned',
    says: '{subject} is no longer banned: {because}',
    severity: 'notice',
    data: z.strictObject({ subject, because }),
  }),
  overrideSet: declareFact({
    kind: 'limits.override-set',
    says: 'the limit {limit} is {rule} for {subject}: {because}',
    severity: 'notice',
    data: z.strictObject({
      limit: z.string().describe('full name, as app.email.send'),
      subject,
      rule: z.string(),
      until: moment,
      because,
    }),
  }),
  overrideLifted: declareFact({
    kind: 'limits.override-lifted',
    says: 'the limit {limit} is for {subject} what it is for everybody again: {because}',
    severity: 'notice',
    data: z.strictObject({ limit: z.string(), subject, because }),
  }),
  forgotten: declareFact({
    kind: 'limits.forgotten',
    says: 'up to {entries} takes of application limits are forgotten and may be given away again: the newest part of limits.db was gone at the start',
    severity: 'warning',
    data: z.strictObject({
      entries: z
        .number()
        .int()
        .min(1)
        .describe('takes, reservations and their ends that were on disk and are there no more'),
    }),
  }),
  refused: declareFact({
    kind: 'limits.refused',
    says: 'limits at the door {door} refused within a minute',
    data: z.strictObject({
      from: moment,
      until: moment,
      door: z.enum(['edge', 'app']),
      entries: z.array(refusedEntry).max(50).describe('those that were refused most'),
    }),
  }),
} as const

const traffic = '600000/min per caller burst 20000'

const reservationKey = z.strictObject({ id })
const someTakes = z.strictObject({ takes: z.array(take).min(1).max(mostTakesInCall) })
const takesToDecide = someTakes.extend({
  together: z
    .boolean()
    .default(false)
    .describe(
      'from all of them or from none, in one step, with one id for all or one for each; at most 16 rules together',
    ),
})
const theirVerdicts = z.strictObject({
  verdicts: z.array(verdict).describe('in the order of the takes'),
})

/** Operations of application limits, and of what holds at every door. */
export const limitsOperations = {
  take: declareOperation({
    name: 'limits.take',
    summary: 'Take from application limits: each take on its own, or from all or none',
    input: takesToDecide,
    output: z.strictObject({
      verdicts: z
        .array(verdict)
        .describe(
          'in the order of the takes; of takes together a single one, that of the limit that refused or is tightest',
        ),
    }),
    permission: 'use',
    limit: traffic,
    command: { words: 'limits take', positional: [] },
  }),
  peek: declareOperation({
    name: 'limits.peek',
    summary: 'Say what takes would come to, and take nothing',
    input: someTakes,
    output: theirVerdicts,
    permission: 'use',
    limit: traffic,
    command: { words: 'limits peek', positional: [] },
  }),
  reserve: declareOperation({
    name: 'limits.reserve',
    summary:
      'Take from an application limit until commit, cancel or the end of the lease, which gives it back',
    input: z.strictObject({
      limit: limitName,
      by: by.prefault({}),
      cost: cost.default(1),
      id: id.describe('names the reservation; the same one is answered again'),
      leaseMs: leaseMs.default(defaultLeaseMs),
    }),
    output: verdict.extend({ id, endsAt: moment.nullable().describe('null: refused') }),
    permission: 'use',
    limit: traffic,
    command: { words: 'limits reserve', positional: ['limit', 'id'] },
  }),
  commit: declareOperation({
    name: 'limits.commit',
    summary: 'Keep what a reservation took, or correct it; what counts at once is given back',
    input: z.strictObject({
      id,
      cost: z
        .number()
        .int()
        .min(0)
        .max(10_000_000)
        .optional()
        .describe('what it came to; absent: what was reserved. More is taken too, if need be as a debt'),
    }),
    output: z.strictObject({
      id,
      cost: z.number().int().describe('units that count'),
      debt: z
        .number()
        .int()
        .describe('of these, units that the limit did not have: later takes pay them first'),
    }),
    permission: 'use',
    limit: traffic,
    command: { words: 'limits commit', positional: ['id'] },
  }),
  cancel: declareOperation({
    name: 'limits.cancel',
    summary: 'Give back what a reservation took',
    input: reservationKey,
    output: z.strictObject({ cancelled: z.boolean().describe('false: it is not open (any more)') }),
    permission: 'use',
    limit: traffic,
    command: { words: 'limits cancel', positional: ['id'] },
  }),
  renew: declareOperation({
    name: 'limits.renew',
    summary: 'Prolong a reservation',
    input: z.strictObject({ id, leaseMs: leaseMs.default(defaultLeaseMs) }),
    output: z.strictObject({ id, endsAt: moment }),
    permission: 'use',
    limit: traffic,
    command: { words: 'limits renew', positional: ['id'] },
  }),
  refund: declareOperation({
    name: 'limits.refund',
    summary: 'Give units back that were taken or leased and not used',
    input: z.strictObject({
      limit: limitName,
      by: by.prefault({}),
      cost: cost.default(1),
      id: id.describe('idempotency key of the refund'),
    }),
    output: z.strictObject({ refunded: z.number().int().describe('units, at most what was in use') }),
    permission: 'use',
    limit: traffic,
    command: { words: 'limits refund', positional: ['limit', 'id'] },
  }),
  lease: declareOperation({
    name: 'limits.lease',
    summary: 'Take up to so many units now, to be spent locally',
    input: z.strictObject({
      limit: limitName,
      by: by.prefault({}),
      units: cost,
      id: id.describe('idempotency key of the lease'),
    }),
    output: z.strictObject({
      granted: z.number().int().describe('0 to units'),
      until: moment.describe('until when they may be spent; give back what is left by limits.refund'),
      retryAfterMs: z
        .number()
        .nullable()
        .describe('milliseconds until there is one more; null: never, or a ban'),
      because: z.string().nullable().describe('when nothing was granted: why, in a sentence'),
    }),
    permission: 'use',
    limit: traffic,
    command: { words: 'limits lease', positional: ['limit', 'units', 'id'] },
  }),
  list: declareOperation({
    name: 'limits.list',
    summary: 'Show every limit, of applications and of the edge, and how much it is used',
    input: nothing,
    output: z.strictObject({
      says: z.string(),
      limits: z.array(
        limitView.extend({
          door: z.enum(['app', 'edge']),
          fast: z.boolean().describe('answered before it is on disk'),
        }),
      ),
    }),
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'limits', positional: [] },
  }),
  ban: declareOperation({
    name: 'limits.ban',
    summary: 'Refuse a subject at every door for a time',
    input: z.strictObject({ subject, for: lasting, because }),
    output: z.strictObject({ until: moment }),
    permission: 'operate',
    danger: 'changes',
    command: { words: 'limits ban', positional: ['subject'] },
  }),
  unban: declareOperation({
    name: 'limits.unban',
    summary: 'End a ban',
    input: z.strictObject({ subject, because }),
    output: z.strictObject({ unbanned: z.boolean().describe('false: it was not banned') }),
    permission: 'operate',
    danger: 'changes',
    command: { words: 'limits unban', positional: ['subject'] },
  }),
  bans: declareOperation({
    name: 'limits.bans',
    summary: 'Show who is banned',
    input: nothing,
    output: z.strictObject({ bans: z.array(ban) }),
    permission: 'view',
    command: { words: 'limits bans', positional: [] },
  }),
  override: declareOperation({
    name: 'limits.override',
    summary: 'Give a subject another rule for a limit, for a time',
    input: z
      .strictObject({
        limit: limitName,
        subject,
        rule: z.string().min(1).max(200).describe('in the notation of limits, as "200/hour per guild"'),
        for: lasting.optional().describe('how long, as 30min or 7d; absent: a week'),
        until: moment
          .optional()
          .describe('instead of "for": until when, milliseconds since 1970-01-01T00:00Z'),
        because,
      })
      .refine((input) => input.for === undefined || input.until === undefined, {
        message: 'takes "for" or "until", not both',
        path: ['until'],
      }),
    output: z.strictObject({ until: moment }),
    permission: 'operate',
    danger: 'changes',
    command: { words: 'limits override', positional: ['limit', 'subject', 'rule'] },
  }),
  liftOverride: declareOperation({
    name: 'limits.lift-override',
    summary: 'Let the limit be for a subject what it is for everybody',
    input: z.strictObject({ limit: limitName, subject, because }),
    output: z.strictObject({ lifted: z.boolean().describe('false: there was none') }),
    permission: 'operate',
    danger: 'changes',
    command: { words: 'limits lift-override', positional: ['limit', 'subject'] },
  }),
  overrides: declareOperation({
    name: 'limits.overrides',
    summary: 'Show the overrides that hold',
    input: nothing,
    output: z.strictObject({ overrides: z.array(override) }),
    permission: 'view',
    command: { words: 'limits overrides', positional: [] },
  }),
} as const

/** What a limit says to a take. */
export type LimitVerdict = z.infer<typeof verdict>
/** What one subject was refused in a minute. */
export type RefusedEntry = z.infer<typeof refusedEntry>
