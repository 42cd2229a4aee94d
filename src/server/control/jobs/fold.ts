import { jobFacts, type Job } from '../../../contracts/index.ts'
import { lookUp, type Json, type JsonObject } from '../../../kernel/std/index.ts'
import type { Fact, Fold } from '../../../kernel/timeline/index.ts'

/** Why a job failed. */
export type JobError = { readonly code: string; readonly message: string; readonly hint: string | null }

/** How a job ended. */
export type Outcome = 'done' | 'failed' | 'cancelled'

/** A job as its facts tell it. */
export type StoredJob = {
  readonly id: string
  readonly operation: string
  readonly actor: string
  readonly input: JsonObject
  readonly idempotencyKey: string | null
  readonly requestedAt: number
  readonly attempts: number
  readonly cancelRequested: boolean
  /** Results of the steps that are done, by name; dropped when the job ends. */
  readonly steps: { readonly [name: string]: JsonObject }
  readonly endedAt: number | null
  readonly outcome: Outcome | null
  readonly result: Json
  readonly error: JobError | null
}

/** All jobs that have not ended and the last ones that have, oldest request first. */
export type JobsState = { readonly jobs: { readonly [id: string]: StoredJob } }

/** So many ended jobs are kept. */
export const keptEndedJobs = 1000

function withChange(state: JobsState, id: string, change: (job: StoredJob) => StoredJob): JobsState {
  const job = lookUp(state.jobs, id)
  return job === undefined ? state : { jobs: { ...state.jobs, [id]: change(job) } }
}

function bounded(state: JobsState): JobsState {
  const ended = Object.values(state.jobs).filter(({ outcome }) => outcome !== null)
  if (ended.length <= keptEndedJobs) return state
  const surplus = new Set(ended.slice(0, ended.length - keptEndedJobs).map(({ id }) => id))
  return { jobs: Object.fromEntries(Object.entries(state.jobs).filter(([id]) => !surplus.has(id))) }
}

type Step = (state: JobsState, fact: Fact) => JobsState

const steps: Readonly<Record<string, Step>> = {
  [jobFacts.requested.kind]: (state, { at, actor, data }) => {
    const { job: id, operation, input, idempotencyKey } = jobFacts.requested.data.parse(data)
    const request = { id, operation, actor, input, idempotencyKey, requestedAt: at }
    const progress = { attempts: 0, cancelRequested: false, steps: {} }
    const end = { endedAt: null, outcome: null, result: null, error: null }
    return { jobs: { ...state.jobs, [id]: { ...request, ...progress, ...end } } }
  },
  [jobFacts.begun.kind]: (state, { data }) => {
    const { job, attempt } = jobFacts.begun.data.parse(data)
    return withChange(state, job, (found) => ({ ...found, attempts: attempt }))
  },
  [jobFacts.stepDone.kind]: (state, { data }) => {
    const { job, step, result } = jobFacts.stepDone.data.parse(data)
    return withChange(state, job, (found) => ({ ...found, steps: { ...found.steps, [step]: result } }))
  },
  [jobFacts.cancelRequested.kind]: (state, { data }) => {
    const { job } = jobFacts.cancelRequested.data.parse(data)
    return withChange(state, job, (found) => ({ ...found, cancelRequested: true }))
  },
  [jobFacts.ended.kind]: (state, { at, data }) => {
    const { job, outcome, result, error } = jobFacts.ended.data.parse(data)
    const ended = withChange(state, job, (found) => {
      return { ...found, ...keptInput(found), steps: {}, endedAt: at, outcome, result, error }
    })
    return bounded(ended)
  },
}

/** The input of an ended job is only needed to tell a repeated request from another one with the same key. */
function keptInput(job: StoredJob): Pick<StoredJob, 'input'> {
  return { input: job.idempotencyKey === null ? {} : job.input }
}

/** Jobs as a fold of their facts. */
export const jobsFold: Fold<JobsState> = {
  name: 'jobs@1',
  initial: { jobs: {} },
  step: (state, fact) => {
    if (fact.data === null) return state
    return steps[fact.kind]?.(state, fact) ?? state
  },
}

/** What is only in memory: how far a running job has got. */
export interface Progress {
  readonly share: number
  readonly says: string
}

/** A job as it leaves the house; `progress` null: it is not running. */
export function jobView(stored: StoredJob, progress: Progress | null): Job {
  const { id, operation, actor, requestedAt, endedAt, attempts, outcome, result, error } = stored
  const state = outcome ?? (progress === null ? 'waiting' : 'running')
  const share = outcome === 'done' ? 1 : (progress?.share ?? 0)
  const says = error?.message ?? progress?.says ?? state
  return {
    id,
    operation,
    actor,
    state,
    requestedAt,
    endedAt,
    share,
    says,
    attempts,
    result: result as Job['result'],
    error,
  }
}
