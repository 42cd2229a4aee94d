import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { moment, serviceName } from '../shapes.ts'

const run = { job: serviceName, run: z.string().describe('key of the run: the same key is the same run') }
const end = {
  ...run,
  code: z.number().int().nullable().describe('exit code; null: a signal, or nobody saw it'),
  detail: z.string(),
  seconds: z.number(),
  lastLines: z.array(z.string()).describe('what it wrote last, at most 20 lines'),
}
const due = { schedule: serviceName, job: serviceName, due: moment, skipped: z.string() }

/** Facts about runs of jobs. */
export const runFacts = {
  runBegun: declareFact({
    kind: 'environment.run-begun',
    says: 'job {job} was started ({why})',
    data: z.strictObject({ ...run, why: z.string() }),
  }),
  runEnded: declareFact({
    kind: 'environment.run-ended',
    says: 'job {job} ended well after {seconds} s',
    data: z.strictObject(end),
  }),
  runFailed: declareFact({
    kind: 'environment.run-failed',
    says: 'job {job} failed after {seconds} s: {detail}',
    severity: 'warning',
    data: z.strictObject(end),
  }),
  scheduleFired: declareFact({
    kind: 'environment.schedule-fired',
    says: 'schedule {schedule} came due and starts {job}',
    data: z.strictObject(due),
  }),
  scheduleSkipped: declareFact({
    kind: 'environment.schedule-skipped',
    says: 'schedule {schedule} came due and was skipped: {skipped}',
    severity: 'notice',
    data: z.strictObject(due),
  }),
  scheduleDone: declareFact({
    kind: 'environment.schedule-done',
    says: 'what schedule {schedule} started has ended',
    data: z.strictObject({ schedule: serviceName, due: moment }),
  }),
} as const

const runView = z.strictObject({
  job: serviceName,
  run: z.string(),
  at: moment,
  by: z.string(),
  why: z.string(),
  outcome: z.enum(['under way', 'done', 'failed']),
  says: z.string(),
  seconds: z.number().nullable(),
  lastLines: z.array(z.string()),
})

/** Jobs, schedules and their last runs. */
export const runHistory = z.strictObject({
  says: z.string(),
  jobs: z.array(serviceName),
  schedules: z.array(
    z.strictObject({
      schedule: serviceName,
      job: serviceName,
      at: z.string().describe('cron pattern'),
      zone: z.string(),
      next: moment.nullable(),
    }),
  ),
  runs: z.array(runView),
})

/** Jobs, schedules and their last runs. */
export type RunHistory = z.infer<typeof runHistory>

/** Operations on jobs and schedules of the environment. */
export const runOperations = {
  run: declareOperation({
    name: 'environment.run',
    summary: 'Run a job of the environment file once, to its end',
    input: z.strictObject({ job: serviceName }),
    output: z.strictObject({
      job: serviceName,
      code: z.number().int().nullable(),
      seconds: z.number(),
      lastLines: z.array(z.string()),
    }),
    answers: 'job',
    permission: 'operate',
    danger: 'changes',
    limit: '60/hour per caller',
    command: { words: 'run', positional: ['job'] },
  }),
  runs: declareOperation({
    name: 'environment.runs',
    summary: 'Show jobs, schedules and how their last runs went',
    input: z.strictObject({
      job: serviceName.optional(),
      most: z.number().int().min(1).max(200).default(20).describe('how many, newest first'),
    }),
    output: runHistory,
    permission: 'view',
    limit: '120/min per caller',
    command: { words: 'runs', positional: ['job'] },
  }),
} as const
