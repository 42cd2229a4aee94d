import {
  environmentFacts as facts,
  environmentOperations,
  type RunHistory,
} from '../../../contracts/environment.ts'
import { bindJob, bindValue, type JobCall, type OperationBinding } from '../../../kernel/capability/index.ts'
import { HoldfastError } from '../../../kernel/std/index.ts'
import type { Fact, Timeline } from '../../../kernel/timeline/index.ts'
import { readUndertakings } from '../read-undertakings.ts'
import { textOf } from '../text-of.ts'
import type { JobsConfig, SchedulesConfig } from './config.ts'
import type { RunEnd, RunReason, Runs } from './runs.ts'
import type { Schedules } from './schedules.ts'

/** What the operations on runs stand on. */
export interface RunsGround {
  readonly jobs: JobsConfig
  readonly schedules: SchedulesConfig
  readonly runs: Runs
  readonly planned: Schedules
  readonly timeline: Pick<Timeline, 'read'>
}

type RunView = RunHistory['runs'][number]

function viewOf(begun: Fact, end: Fact | undefined): RunView {
  const { job, run, why } = facts.runBegun.data.parse(begun.data)
  const common = { job, run, at: begun.at, by: begun.actor, why }
  if (end === undefined)
    return { ...common, outcome: 'under way', says: 'it runs', seconds: null, lastLines: [] }
  const { detail, seconds, lastLines } = facts.runEnded.data.parse(end.data)
  const outcome = end.kind === facts.runEnded.kind ? 'done' : 'failed'
  return { ...common, outcome, says: detail, seconds, lastLines }
}

async function readRuns(
  timeline: Pick<Timeline, 'read'>,
  { job, most }: { readonly job?: string | undefined; readonly most: number },
): Promise<readonly RunView[]> {
  const found = await readUndertakings(timeline, {
    begun: facts.runBegun.kind,
    ends: [facts.runEnded.kind, facts.runFailed.kind],
    subject: job === undefined ? undefined : `job:${job}`,
    keyOf: ({ data }) => `${textOf(data, 'job')} ${textOf(data, 'run')}`,
    most,
    limit: most * 2 + 20,
  })
  return found.map(({ begun, end }) => viewOf(begun, end))
}

async function history(
  { jobs, schedules, planned, timeline }: RunsGround,
  input: { readonly job?: string | undefined; readonly most: number },
): Promise<RunHistory> {
  const runs = [...(await readRuns(timeline, input))]
  const shown = Object.entries(schedules).filter(([, { job }]) => (input.job ?? job) === job)
  return {
    says: sayRuns(runs),
    jobs: Object.keys(jobs),
    schedules: shown.map(([schedule, { job, at, zone }]) => {
      return { schedule, job, at, zone, next: planned.next(schedule) }
    }),
    runs,
  }
}

function sayRuns([last]: readonly RunView[]): string {
  if (last === undefined) return 'No job has run yet'
  const words = { 'under way': 'is running', done: 'ended well', failed: 'failed' }
  return `The last run: ${last.job} ${words[last.outcome]}`
}

/** What a run that failed throws. */
export function runFailed(job: string, { detail, lastLines }: RunEnd): HoldfastError {
  const words = lastLines.length === 0 ? '' : `; its last words: ${lastLines.slice(-3).join(' | ')}`
  return new HoldfastError({
    code: 'environment.run-failed',
    kind: 'operational',
    message: `job ${job} failed: ${detail}${words}`,
    hint: `see "holdfast runs ${job}"`,
  })
}

const byHand = ({ caller, correlation }: JobCall): RunReason => ({
  actor: caller.actor,
  correlation,
  why: 'by hand',
})

/** Binds what is said about jobs and schedules to its code. */
export function bindRuns(ground: RunsGround): readonly OperationBinding[] {
  return [
    bindJob(
      environmentOperations.run,
      async ({ job }, call) => {
        const end = await ground.runs.run({ job, key: call.jobId }, byHand(call), call.signal)
        if (!end.ok) throw runFailed(job, end)
        return { job, code: end.code, seconds: end.seconds, lastLines: [...end.lastLines] }
      },
      ({ job }, call, because) => ground.runs.conclude({ job, key: call.jobId }, byHand(call), because),
    ),
    bindValue(environmentOperations.runs, (input) => history(ground, input)),
  ]
}
