import { jobFacts, type Job } from '../../../contracts/index.ts'
import type { Context, OperationBinding } from '../../../kernel/capability/index.ts'
import { canonicalJson, HoldfastError, type JsonObject, lookUp } from '../../../kernel/std/index.ts'
import type { View } from '../../../kernel/timeline/index.ts'
import { createChanges, type Changes } from './changes.ts'
import { jobView, type JobsState, type StoredJob } from './fold.ts'
import { createRunner, type Runner } from './runner.ts'

/** What the jobs stand on. */
export interface JobsGround {
  readonly context: Pick<Context, 'clock' | 'record' | 'log'>
  readonly view: View<JobsState>
  /** Undefined: this version has no such operation. */
  readonly find: (operation: string) => OperationBinding | undefined
  /** Default 4. */
  readonly maxRunning?: number
  /** Default 100. */
  readonly maxWaiting?: number
}

/** A job that is asked for. */
export interface JobRequest {
  /** UUIDv7. */
  readonly id: string
  readonly operation: string
  readonly actor: string
  readonly input: unknown
  readonly idempotencyKey: string | null
}

/** Long undertakings that survive a restart of control. */
export interface Jobs {
  /** Resolves when the request is on disk. Errors: `jobs.queue-full`, `jobs.idempotency-conflict`. */
  request(request: JobRequest): Promise<Job>
  /** Errors: `jobs.unknown`. */
  get(id: string): Job
  /** Newest first. */
  list(limit: number): readonly Job[]
  /** The job now and after each change, until it has ended or the signal aborts. Changes in between may be skipped. */
  follow(id: string, signal: AbortSignal): AsyncIterable<Job>
  /** Errors: `jobs.unknown`. An ended job stays as it is. */
  cancel(id: string, actor: string): Promise<Job>
  /** The job when it has ended. */
  ended(id: string, signal: AbortSignal): Promise<Job>
  /** Begins what was requested and has not ended, also by an earlier process. */
  begin(): void
  /** Interrupts what runs, without ending it: the next start begins it again. */
  stop(): Promise<void>
  counts(): { readonly running: number; readonly waiting: number }
}

/** The same key means the same job for this long. */
export const idempotencyLifeMs = 86_400_000

/** What a following reader gets at most every so often. */
const followGapMs = 100

function unknownJob(id: string): HoldfastError {
  return new HoldfastError({
    code: 'jobs.unknown',
    kind: 'user',
    message: `there is no job ${id.slice(0, 64)}`,
    hint: 'see "holdfast jobs"; only the last 1,000 ended jobs are kept',
    path: 'job',
  })
}

function asJson(input: unknown): JsonObject {
  return JSON.parse(JSON.stringify(input ?? {})) as JsonObject
}

function earlierWithKey(state: JobsState, request: JobRequest, now: number): StoredJob | undefined {
  if (request.idempotencyKey === null) return undefined
  const earlier = Object.values(state.jobs).find(
    ({ idempotencyKey, actor, operation, requestedAt }) =>
      idempotencyKey === request.idempotencyKey &&
      actor === request.actor &&
      operation === request.operation &&
      now - requestedAt < idempotencyLifeMs,
  )
  if (earlier === undefined || canonicalJson(earlier.input) === canonicalJson(asJson(request.input))) {
    return earlier
  }
  throw new HoldfastError({
    code: 'jobs.idempotency-conflict',
    kind: 'user',
    message: `the idempotency key was used for ${earlier.operation} with another input`,
    hint: 'use a new key for a new request',
    path: 'idempotencyKey',
  })
}

function refuseFull(runner: Runner, maxWaiting: number): void {
  if (runner.counts().waiting < maxWaiting) return
  throw new HoldfastError({
    code: 'jobs.queue-full',
    kind: 'operational',
    message: `${maxWaiting} jobs wait already`,
    hint: 'try again when some have ended; see "holdfast jobs"',
  })
}

interface Desk {
  readonly ground: JobsGround
  readonly runner: Runner
  readonly changes: Changes
}

function stored(ground: JobsGround, id: string): StoredJob {
  const { jobs } = ground.view.state
  const job = lookUp(jobs, id)
  if (job === undefined) throw unknownJob(id)
  return job
}

function get({ ground, runner }: Desk, id: string): Job {
  return jobView(stored(ground, id), runner.progressOf(id))
}

async function request(desk: Desk, wanted: JobRequest): Promise<Job> {
  const { ground, runner } = desk
  const earlier = earlierWithKey(ground.view.state, wanted, ground.context.clock.now())
  if (earlier !== undefined) return get(desk, earlier.id)
  refuseFull(runner, ground.maxWaiting ?? 100)
  const { id, operation, actor, idempotencyKey } = wanted
  const data = { job: id, operation, input: asJson(wanted.input), idempotencyKey }
  await ground.context.record(jobFacts.requested, data as never, {
    subject: `job:${id}`,
    actor,
    correlation: id,
  })
  runner.enqueue(id)
  return get(desk, id)
}

async function* follow(desk: Desk, id: string, signal: AbortSignal): AsyncGenerator<Job> {
  const { clock } = desk.ground.context
  for (let last = ''; ;) {
    const changed = desk.changes.next(id, signal)
    const job = get(desk, id)
    const text = JSON.stringify(job)
    if (text !== last) yield job
    last = text
    if (job.endedAt !== null) return
    await changed
    if (signal.aborted) return
    if (desk.ground.view.state.jobs[id]?.outcome === null) {
      await clock.sleep(followGapMs, signal).catch(() => undefined)
    }
  }
}

async function ended(desk: Desk, id: string, signal: AbortSignal): Promise<Job> {
  for (;;) {
    const changed = desk.changes.next(id, signal)
    const job = get(desk, id)
    if (job.endedAt !== null) return job
    await changed
    signal.throwIfAborted()
  }
}

async function cancel(desk: Desk, id: string, actor: string): Promise<Job> {
  const { ground, runner } = desk
  const { operation, outcome, cancelRequested } = stored(ground, id)
  if (outcome === null && !cancelRequested) {
    const data = { job: id, operation }
    await ground.context.record(jobFacts.cancelRequested, data, {
      subject: `job:${id}`,
      actor,
      correlation: id,
    })
  }
  if (outcome === null) await runner.cancel(id)
  return get(desk, id)
}

/** Creates the jobs; nothing runs before `begin`. */
export function createJobs(ground: JobsGround): Jobs {
  const changes = createChanges()
  const runner = createRunner({ ...ground, changed: (id) => changes.tell(id) })
  const desk: Desk = { ground, runner, changes }
  let last: Promise<unknown> = Promise.resolve()
  return {
    request: (wanted) => {
      // One after the other, so that two with the same key at the same instant become one job.
      const requested = last.then(() => request(desk, wanted))
      last = requested.catch(() => undefined)
      return requested
    },
    get: (id) => get(desk, id),
    list: (limit) =>
      Object.values(ground.view.state.jobs)
        .slice(-limit)
        .toReversed()
        .map((job) => jobView(job, runner.progressOf(job.id))),
    follow: (id, signal) => follow(desk, id, signal),
    cancel: (id, actor) => cancel(desk, id, actor),
    ended: (id, signal) => ended(desk, id, signal),
    begin: () => {
      for (const job of Object.values(ground.view.state.jobs))
        if (job.outcome === null) runner.enqueue(job.id)
    },
    stop: () => runner.stop(),
    counts: () => runner.counts(),
  }
}
