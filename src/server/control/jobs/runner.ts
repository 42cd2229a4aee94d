import { jobFacts } from '../../../contracts/index.ts'
import type { Context, OperationBinding } from '../../../kernel/capability/index.ts'
import { HoldfastError, plainError } from '../../../kernel/std/index.ts'
import type { View } from '../../../kernel/timeline/index.ts'
import { attempt, cancelled, conclude, failure, type AttemptEnd, type AttemptGround } from './attempt.ts'
import type { JobsState, Progress, StoredJob } from './fold.ts'

/** A job that was begun this often without coming to an end is given up. */
export const maxAttempts = 5

/** What the runner stands on. */
export interface RunnerGround {
  readonly context: Pick<Context, 'clock' | 'record' | 'log'>
  readonly view: View<JobsState>
  readonly find: (operation: string) => OperationBinding | undefined
  readonly maxRunning?: number
  readonly changed: (id: string) => void
}

/** Runs a few jobs at once, the others in order. */
export interface Runner {
  enqueue(id: string): void
  /** Aborts a running job, and ends a waiting one at once. */
  cancel(id: string): Promise<void>
  /** Null: not running. */
  progressOf(id: string): Progress | null
  counts(): { readonly running: number; readonly waiting: number }
  stop(): Promise<void>
}

interface Running {
  readonly controller: AbortController
  progress: Progress
  done: Promise<void>
}

interface Floor {
  readonly ground: RunnerGround
  readonly running: Map<string, Running>
  readonly waiting: string[]
  stopping: boolean
}

const stopPatienceMs = 5000
const recordTries = 5

function jobOf(floor: Floor, id: string): StoredJob {
  const job = floor.ground.view.state.jobs[id]
  if (job === undefined) throw new Error(`job ${id} is not on the timeline`)
  return job
}

function extras(job: StoredJob): { subject: string; actor: string; correlation: string } {
  return { subject: `job:${job.id}`, actor: job.actor, correlation: job.id }
}

/** Records, trying again while the disk fails; false: not even then, and the next start of control sees to the job. */
async function recordStubbornly(floor: Floor, job: StoredJob, say: () => Promise<unknown>): Promise<boolean> {
  const { clock, log } = floor.ground.context
  for (let tries = 1; ; tries++) {
    try {
      await say()
      return true
    } catch (error) {
      log.error({ job: job.id, error: plainError(error).message }, 'a fact of a job could not be recorded')
      if (tries === recordTries || floor.stopping) return false
      await clock.sleep(1000 * tries)
    }
  }
}

async function recordEnd(floor: Floor, id: string, end: AttemptEnd): Promise<void> {
  const job = jobOf(floor, id)
  const data = { job: id, operation: job.operation, ...end } as never
  await recordStubbornly(floor, job, () => floor.ground.context.record(jobFacts.ended, data, extras(job)))
}

function withoutRunning(job: StoredJob, binding: OperationBinding | undefined): AttemptEnd | null {
  if (job.cancelRequested) return { outcome: 'cancelled', result: null, error: null }
  if (binding === undefined) {
    return failure(
      new HoldfastError({
        code: 'operations.unknown',
        kind: 'user',
        message: `this version has no operation ${job.operation}`,
      }),
    )
  }
  if (job.attempts < maxAttempts) return null
  return failure(
    new HoldfastError({
      code: 'jobs.gave-up',
      kind: 'operational',
      message: `${job.operation} was begun ${job.attempts} times and control was stopped or died each time before it ended`,
      hint: 'see the log of control for what ends it, then request the job again',
    }),
  )
}

function groundOf(floor: Floor, id: string, { binding, running }: Begun): AttemptGround {
  return {
    context: floor.ground.context,
    binding,
    signal: running.controller.signal,
    stored: () => jobOf(floor, id),
    progress: (share, says) => {
      running.progress = { share, says }
      floor.ground.changed(id)
    },
  }
}

/** Ends a job without its code; what that had begun is said to have ended. */
async function endEarly(floor: Floor, id: string, { early, begun }: Early): Promise<void> {
  const { log } = floor.ground.context
  if (begun !== null && jobOf(floor, id).attempts > 0) {
    await conclude(groundOf(floor, id, begun), early.error?.message ?? 'it was cancelled').catch(
      (error: unknown) =>
        log.error({ job: id, error: plainError(error).message }, 'a job could not be concluded'),
    )
  }
  await recordEnd(floor, id, early)
}

interface Begun {
  readonly binding: OperationBinding
  readonly running: Running
}

interface Early {
  readonly early: AttemptEnd
  readonly begun: Begun | null
}

async function run(floor: Floor, id: string, running: Running): Promise<void> {
  const { context, find } = floor.ground
  const job = jobOf(floor, id)
  const binding = find(job.operation)
  const early = withoutRunning(job, binding)
  const ready = binding === undefined ? null : { binding, running }
  if (early !== null) return endEarly(floor, id, { early, begun: ready })
  if (ready === null) return
  const begun = { job: id, operation: job.operation, attempt: job.attempts + 1 }
  const isBegun = await recordStubbornly(floor, job, () => context.record(jobFacts.begun, begun, extras(job)))
  if (!isBegun) return
  floor.ground.changed(id)
  const end = await attempt(groundOf(floor, id, ready))
  const interrupted = floor.stopping && end.outcome === 'failed'
  if (!interrupted) await recordEnd(floor, id, end)
}

function pump(floor: Floor): void {
  const { ground, running, waiting } = floor
  while (!floor.stopping && running.size < (ground.maxRunning ?? 4)) {
    const id = waiting.shift()
    if (id === undefined) return
    const started: Running = {
      controller: new AbortController(),
      progress: { share: 0, says: 'running' },
      done: Promise.resolve(),
    }
    running.set(id, started)
    started.done = run(floor, id, started)
      .catch((error: unknown) => {
        ground.context.log.error({ job: id, error: plainError(error).message }, 'a job could not be run')
      })
      .then(() => {
        running.delete(id)
        ground.changed(id)
        pump(floor)
      })
  }
}

async function cancel(floor: Floor, id: string): Promise<void> {
  const running = floor.running.get(id)
  if (running !== undefined) return running.controller.abort(cancelled())
  const place = floor.waiting.indexOf(id)
  if (place < 0) return
  floor.waiting.splice(place, 1)
  await recordEnd(floor, id, { outcome: 'cancelled', result: null, error: null })
  floor.ground.changed(id)
}

async function stop(floor: Floor): Promise<void> {
  floor.stopping = true
  const reason = new HoldfastError({
    code: 'jobs.interrupted',
    kind: 'operational',
    message: 'control stops; the job is begun again at the next start',
  })
  for (const { controller } of floor.running.values()) controller.abort(reason)
  const patience = new AbortController()
  const all = Promise.all([...floor.running.values()].map(({ done }) => done))
  await Promise.race([
    all,
    floor.ground.context.clock.sleep(stopPatienceMs, patience.signal).catch(() => undefined),
  ])
  patience.abort(new Error('stopped'))
}

/** Creates the runner. */
export function createRunner(ground: RunnerGround): Runner {
  const floor: Floor = { ground, running: new Map(), waiting: [], stopping: false }
  return {
    enqueue: (id) => {
      // A capability may ask for a job while it starts, before `begin` looks for what has not ended.
      if (floor.running.has(id) || floor.waiting.includes(id)) return
      floor.waiting.push(id)
      pump(floor)
    },
    cancel: (id) => cancel(floor, id),
    progressOf: (id) => floor.running.get(id)?.progress ?? null,
    counts: () => ({ running: floor.running.size, waiting: floor.waiting.length }),
    stop: () => stop(floor),
  }
}
