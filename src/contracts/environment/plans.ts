import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { moment, nothing } from '../shapes.ts'

const planHash = z.string().regex(/^[0-9a-f]{16}$/, '16 hexadecimal digits, as a plan says them')

const change = z.strictObject({
  before: z.number().int().nullable(),
  after: z.number().int().nullable(),
})

const difference = z.strictObject({
  path: z.string().describe('below the object, as limit.0; empty: the whole of it'),
  before: z.string().nullable().describe('null: it was not there; variables are not shown'),
  after: z.string().nullable().describe('null: it goes'),
})

/** One thing that would change. */
export const planStep = z.strictObject({
  object: z.string().describe('what it is about, as "service web"'),
  verb: z.enum(['create', 'change', 'replace', 'scale', 'remove']),
  says: z.string().describe('what would happen, in one sentence'),
  differences: z.array(difference),
  replicas: change.describe('how many replicas; null: it has none'),
  memoryMiB: change.describe('what they may use together; null: not bounded'),
  destroys: z.boolean().describe('data would be lost'),
})

/** One thing that would change. */
export type PlanStep = z.infer<typeof planStep>

const total = {
  before: z.number().int(),
  after: z.number().int(),
  difference: z.number().int(),
}

/** What would change if the environment file were applied. */
export const environmentPlan = z.strictObject({
  hash: planHash.describe(
    'over the file and over what runs: apply takes it, and refuses when either has moved',
  ),
  says: z.string().describe('the answer in one sentence'),
  steps: z.array(planStep).describe('in the order of what needs what'),
  replicas: z.strictObject({
    ...total,
    unbounded: z.number().int().describe('of those afterwards, may use any amount of memory'),
  }),
  memoryMiB: z
    .strictObject({
      ...total,
      machine: z.number().int(),
      left: z.number().int().describe('of the machine, beside what replicas may use afterwards'),
    })
    .describe('of those replicas that are bounded'),
  destroys: z.array(z.string()).describe('objects with data that would be lost: apply wants each named'),
  notes: z.array(z.string()),
})

/** What would change if the environment file were applied. */
export type EnvironmentPlan = z.infer<typeof environmentPlan>

/** What differs between what was applied and what is. */
export const drift = z.strictObject({
  says: z.string().describe('the answer in one sentence'),
  items: z.array(
    z.strictObject({
      object: z.string().describe('what it is about, as "service web", "route /login" or "volume uploads"'),
      says: z.string().describe('how it differs; what nothing names any more is "left over"'),
      since: moment
        .nullable()
        .describe('by a fact or the time of a file; null: nothing has recorded when it changed'),
    }),
  ),
  notes: z.array(z.string()).describe('what could not be looked at, and why'),
})

/** What differs between what was applied and what is. */
export type Drift = z.infer<typeof drift>

const applied = { plan: planHash, job: z.string(), steps: z.number().int() }

/** Facts about plans. */
export const planFacts = {
  applyBegun: declareFact({
    kind: 'environment.apply-begun',
    says: 'plan {plan} is being applied: {summary}',
    severity: 'notice',
    data: z.strictObject({ ...applied, summary: z.string() }),
  }),
  applied: declareFact({
    kind: 'environment.applied',
    says: 'plan {plan} was applied, {steps} steps in {seconds} s',
    severity: 'notice',
    data: z.strictObject({ ...applied, seconds: z.number() }),
  }),
  applyFailed: declareFact({
    kind: 'environment.apply-failed',
    says: 'not all of plan {plan} came about: {because}',
    severity: 'critical',
    data: z.strictObject({ ...applied, because: z.string() }),
  }),
  destroyed: declareFact({
    kind: 'environment.destroyed',
    says: '{object} was removed with its data',
    severity: 'warning',
    data: z.strictObject({ object: z.string(), job: z.string() }),
  }),
} as const

/** Operations on plans. */
export const planOperations = {
  plan: declareOperation({
    name: 'environment.plan',
    summary: 'Show what would change if the environment file were applied',
    input: nothing,
    output: environmentPlan,
    permission: 'view',
    limit: '30/min per caller',
    command: { words: 'environment plan', positional: [] },
  }),
  apply: declareOperation({
    name: 'environment.apply',
    summary: 'Make a plan come true; refused if the file or what runs has moved since it was made',
    input: z.strictObject({
      plan: planHash.describe('hash of the plan'),
      destroy: z
        .array(z.string().max(100))
        .max(100)
        .default([])
        .describe('objects whose data may be lost, each by name, as "volume uploads"'),
    }),
    output: z.strictObject({ plan: planHash, steps: z.number().int(), says: z.string() }),
    answers: 'job',
    permission: 'operate',
    danger: 'changes',
    limit: '60/hour per caller',
    command: { words: 'environment apply', positional: ['plan'] },
  }),
  drift: declareOperation({
    name: 'environment.drift',
    summary: 'Show what differs between what was applied and what is; touches nothing',
    input: z.strictObject({
      ignore: z
        .array(z.string().min(1).max(200))
        .max(100)
        .default([])
        .describe('objects to pass over, as "service web" or "route *"; * stands for any characters'),
    }),
    output: drift,
    permission: 'view',
    limit: '30/min per caller',
    command: { words: 'environment drift', positional: [] },
  }),
} as const
