import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { moment, serviceName } from '../shapes.ts'
import { parseDuration } from '../../kernel/std/index.ts'

const longestKeepMs = 7 * 24 * 3_600_000

/** One part of a rebuild and how long it took. */
export const rebuildPhase = z.strictObject({
  name: z.enum(['read', 'prepare', 'start', 'jobs', 'services', 'edge', 'remove']),
  seconds: z.number().nonnegative(),
})

/** One part of a rebuild and how long it took. */
export type RebuildPhase = z.infer<typeof rebuildPhase>

const phases = z.array(rebuildPhase).describe('in order; one that did not come about is missing')

/** A second environment that goes on running, and how one gets at it. */
export const keptRebuild = z.strictObject({
  until: moment,
  url: z.string().describe('where its edge serves'),
  enter: z
    .string()
    .nullable()
    .describe('what puts a command into its network, from where alone the address is reached; null: no need'),
})

/** What came of a rebuild. */
export const rebuildResult = z.strictObject({
  into: serviceName,
  says: z.string(),
  phases,
  seconds: z.number().nonnegative().describe('all of it, from the file to the last phase'),
  isolated: z.boolean().describe('a network of its own without a way out, and files that nobody else sees'),
  kept: keptRebuild.nullable().describe('null: it has removed itself'),
  notes: z.array(z.string()).describe('what was left out, and what could not be kept apart'),
})

/** What came of a rebuild. */
export type RebuildResult = z.infer<typeof rebuildResult>

const rebuilt = { into: serviceName, job: z.string() }

/** Facts about rebuilds: on the timeline of the environment that was rebuilt, which is not touched by them. */
export const rebuildFacts = {
  rebuildBegun: declareFact({
    kind: 'environment.rebuild-begun',
    says: 'the environment is being built a second time, as {into}',
    severity: 'notice',
    data: z.strictObject({ ...rebuilt, hash: z.string().describe('of the environment file') }),
  }),
  rebuilt: declareFact({
    kind: 'environment.rebuilt',
    says: 'the environment was built a second time, as {into}, in {seconds} s',
    severity: 'notice',
    data: z.strictObject({ ...rebuilt, seconds: z.number(), isolated: z.boolean(), phases }),
  }),
  rebuildFailed: declareFact({
    kind: 'environment.rebuild-failed',
    says: 'the environment could not be built a second time, as {into}: {phase}: {because}',
    severity: 'warning',
    data: z.strictObject({ ...rebuilt, phase: z.string(), because: z.string(), phases }),
  }),
  rebuildRemoved: declareFact({
    kind: 'environment.rebuild-removed',
    says: 'the second environment {into} was removed: {because}',
    data: z.strictObject({ into: serviceName, because: z.string() }),
  }),
} as const

/** Operations on rebuilds. */
export const rebuildOperations = {
  rebuild: declareOperation({
    name: 'environment.rebuild',
    summary: 'Build the whole environment a second time, apart from this one, from its file alone',
    input: z.strictObject({
      into: serviceName.describe('name of the second environment'),
      keep: z
        .string()
        .refine((text) => {
          const ms = parseDuration(text)
          return ms !== undefined && ms <= longestKeepMs
        }, 'write a duration up to 7d, as "2h"')
        .optional()
        .describe('how long it goes on running once it serves, as 2h; absent: it removes itself at once'),
      from: z
        .string()
        .regex(/^[^/]{1,255}$/, 'the name of a file beside the environment file')
        .optional()
        .describe('another environment file of the same directory; default: the one that was accepted'),
    }),
    output: rebuildResult,
    answers: 'job',
    permission: 'operate',
    danger: 'changes',
    limit: '30/hour per caller',
    command: { words: 'environment rebuild', positional: [] },
  }),
  removeRebuild: declareOperation({
    name: 'environment.rebuild-remove',
    summary: 'Remove a second environment that was kept',
    input: z.strictObject({ into: serviceName }),
    output: z.strictObject({ says: z.string() }),
    permission: 'operate',
    danger: 'changes',
    limit: '60/min per caller',
    command: { words: 'environment rebuild-remove', positional: ['into'] },
  }),
} as const
