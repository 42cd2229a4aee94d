import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { json, jsonObject, moment } from '../shapes.ts'

/** `waiting` for its turn, `running`, or ended. */
export const jobState = z.enum(['waiting', 'running', 'done', 'failed', 'cancelled'])

/** A job as it leaves the house. */
export const job = z.strictObject({
  id: z.string(),
  operation: z.string(),
  actor: z.string(),
  state: jobState,
  requestedAt: moment,
  endedAt: moment.nullable(),
  /** Share done, 0 to 1. */
  share: z.number().min(0).max(1),
  says: z.string().describe('what it is doing, in words'),
  /** How often it was begun: more than once when control was restarted in between. */
  attempts: z.number().int(),
  result: json,
  error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
})

/** A job as it leaves the house. */
export type Job = z.infer<typeof job>

/** Facts about jobs; a job is the fold of them. */
export const jobFacts = {
  requested: declareFact({
    kind: 'jobs.requested',
    says: '{operation} was requested',
    data: z.strictObject({
      job: z.string(),
      operation: z.string(),
      input: jsonObject,
      idempotencyKey: z.string().nullable(),
    }),
  }),
  begun: declareFact({
    kind: 'jobs.begun',
    says: '{operation} was begun, attempt {attempt}',
    data: z.strictObject({ job: z.string(), operation: z.string(), attempt: z.number().int() }),
  }),
  stepDone: declareFact({
    kind: 'jobs.step-done',
    says: '{operation}: {step} is done',
    data: z.strictObject({ job: z.string(), operation: z.string(), step: z.string(), result: jsonObject }),
  }),
  cancelRequested: declareFact({
    kind: 'jobs.cancel-requested',
    says: '{operation} was asked to stop',
    data: z.strictObject({ job: z.string(), operation: z.string() }),
  }),
  ended: declareFact({
    kind: 'jobs.ended',
    says: '{operation} ended: {outcome}',
    data: z.strictObject({
      job: z.string(),
      operation: z.string(),
      outcome: z.enum(['done', 'failed', 'cancelled']),
      result: json,
      error: z
        .strictObject({ code: z.string(), message: z.string(), hint: z.string().nullable() })
        .nullable(),
    }),
  }),
} as const

const jobId = z.strictObject({ job: z.string().describe('id of the job') })

/** Operations on jobs. */
export const jobOperations = {
  list: declareOperation({
    name: 'jobs.list',
    summary: 'Show the jobs, newest first',
    input: z.strictObject({ limit: z.number().int().min(1).max(200).default(20) }),
    output: z.strictObject({ jobs: z.array(job) }),
    permission: 'view',
    command: { words: 'jobs', positional: [] },
  }),
  get: declareOperation({
    name: 'jobs.get',
    summary: 'Show one job',
    input: jobId,
    output: job,
    permission: 'view',
    command: { words: 'jobs show', positional: ['job'] },
  }),
  follow: declareOperation({
    name: 'jobs.follow',
    summary: 'Follow one job until it ends',
    input: jobId,
    output: job,
    answers: 'stream',
    permission: 'view',
    command: { words: 'jobs follow', positional: ['job'] },
  }),
  cancel: declareOperation({
    name: 'jobs.cancel',
    summary: 'Ask a job to stop',
    input: jobId,
    output: job,
    permission: 'operate',
    danger: 'changes',
    command: { words: 'jobs cancel', positional: ['job'] },
  }),
} as const
