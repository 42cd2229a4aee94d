import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { fact, moment, nothing, severity } from '../shapes.ts'

const filters = {
  kind: z.string().optional().describe('a kind, or a whole room as environment.*'),
  subject: z.string().optional().describe('what it is about, as service:web'),
  severity: severity.optional().describe('at least this severe'),
  correlation: z.string().optional().describe('facts of one undertaking'),
}

/** Facts of the timeline about itself. */
export const timelineFacts = {
  erased: declareFact({
    kind: 'timeline.fact-erased',
    says: 'the payload of fact {sequence} was erased: {because}',
    severity: 'notice',
    data: z.strictObject({ sequence: z.number().int(), because: z.string() }),
  }),
  retained: declareFact({
    kind: 'timeline.facts-expired',
    says: '{removed} facts older than the retention were removed',
    data: z.strictObject({ removed: z.number().int() }),
  }),
} as const

const head = z.strictObject({ sequence: z.number().int(), hash: z.string(), at: moment })

/** Operations on the timeline. */
export const timelineOperations = {
  read: declareOperation({
    name: 'timeline.read',
    summary: 'Show what happened, newest last',
    input: z.strictObject({
      ...filters,
      since: moment.optional(),
      until: moment.optional(),
      before: z.number().int().optional().describe('only facts before this sequence number'),
      limit: z.number().int().min(1).max(1000).default(50),
    }),
    output: z.strictObject({ facts: z.array(fact) }),
    permission: 'view',
    command: { words: 'timeline', positional: [] },
  }),
  follow: declareOperation({
    name: 'timeline.follow',
    summary: 'Show what happens, as it happens',
    input: z.strictObject({
      ...filters,
      after: z.number().int().optional().describe('start after this sequence number'),
    }),
    output: fact,
    answers: 'stream',
    permission: 'view',
    limit: '30/min per caller burst 30',
    command: { words: 'timeline follow', positional: [] },
  }),
  head: declareOperation({
    name: 'timeline.head',
    summary: 'Show the end of the chain, to be anchored outside',
    input: nothing,
    output: z.strictObject({ head: head.nullable() }),
    permission: 'view',
    command: { words: 'timeline head', positional: [] },
  }),
  verify: declareOperation({
    name: 'timeline.verify',
    summary: 'Walk the whole chain and name the first broken link',
    input: z.strictObject({
      anchor: z.string().optional().describe('an earlier head kept outside, as <sequence>:<hash>'),
    }),
    output: z.strictObject({
      checked: z.number().int(),
      head: head.nullable(),
      broken: z.strictObject({ sequence: z.number().int(), why: z.string() }).nullable(),
    }),
    answers: 'job',
    permission: 'view',
    limit: '6/min per caller',
    form: true,
    command: { words: 'timeline verify', positional: [] },
  }),
  export: declareOperation({
    name: 'timeline.export',
    summary: 'Write every fact as a JSON line that can be verified elsewhere',
    input: nothing,
    output: z.strictObject({ line: z.string() }),
    answers: 'stream',
    permission: 'administer',
    limit: '6/hour per caller',
    command: { words: 'timeline export', positional: [] },
  }),
  erase: declareOperation({
    name: 'timeline.erase',
    summary: 'Erase the payload of one fact; the chain still verifies',
    input: z.strictObject({ sequence: z.number().int().positive(), because: z.string().min(3).max(200) }),
    output: z.strictObject({ erased: z.boolean() }),
    permission: 'administer',
    danger: 'destroys',
    command: { words: 'timeline erase', positional: ['sequence'] },
  }),
} as const
