import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { ReplicaStatus, Specification } from '../../../contracts/supervisor.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { contentHash, HoldfastError } from '../../../kernel/std/index.ts'
import type { Group, LogReader } from '../ports.ts'
import { throwUnlessCancelled } from '../cancelled.ts'
import type { Watch } from '../watch/index.ts'
import type { JobsConfig } from './config.ts'
import { jobPrefix, runSpecification, type RunGround, type RunPlace } from './specification.ts'

/** How a run ended. */
export type RunEnd = {
  /** Null: a signal, or nobody saw it. */
  readonly code: number | null
  readonly ok: boolean
  /** In words. */
  readonly detail: string
  readonly seconds: number
  readonly lastLines: readonly string[]
}

/** Who wants a run, and why. */
export interface RunReason {
  readonly actor: string
  readonly correlation: string
  /** In words: `by hand`, `schedule nightly`, `before 1.4.2 of web`. */
  readonly why: string
}

/** What runs stand on. */
export interface RunParts {
  readonly jobs: JobsConfig
  readonly ground: RunGround
  readonly context: Pick<Context, 'clock' | 'record'>
  readonly watch: () => Pick<Watch, 'status' | 'round'>
  readonly logs: Pick<LogReader, 'tail'>
}

/** Runs of jobs, to their ends. */
export interface Runs {
  /**
   * Runs a job and waits for its end. The same key is the same run: asked for again, also by a control that came after,
   * it is joined and not started twice. Cancelled it is stopped; when control stops it goes on.
   * Errors: `environment.unknown-job`.
   */
  run(place: RunPlace, reason: RunReason, signal: AbortSignal): Promise<RunEnd>
  /** How many runs of a job go on now. */
  underWay(job: string): number
  /** The groups that the engine shall have for runs, given what it has. */
  groups(replicas: readonly ReplicaStatus[]): readonly Group[]
}

const pollMs = 250
/** How long the end of a run waits for a control that asks for it once more. */
const keptMs = 600_000
const tailLines = 20

const isRun = ({ service }: ReplicaStatus): boolean => service.startsWith(jobPrefix)
const hasEnded = ({ state }: ReplicaStatus): boolean => state === 'ended' || state === 'crash-looped'

interface Wanted {
  readonly specification: Specification
  readonly hash: string
}

/** Creates runs; what an earlier control began is found by observing. */
export function createRuns(parts: RunParts): Runs {
  const { jobs, ground, context, logs } = parts
  const wanted = new Map<string, Wanted>()
  /** Whose end was told: they may go. */
  const told = new Set<string>()

  const replicaOf = (hash: string): ReplicaStatus | undefined =>
    parts
      .watch()
      .status()
      ?.replicas.find((replica) => isRun(replica) && replica.specHash === hash)

  const endOf = async (replica: ReplicaStatus, beganMs: number): Promise<RunEnd> => {
    const { lastExit, state, startedAt } = replica
    const { lines } = await logs.tail(replica.logFile, tailLines).catch(() => ({ lines: [] }))
    const code = lastExit?.code ?? null
    const seconds = Math.round(Math.max(0, (lastExit?.at ?? beganMs) - (startedAt ?? beganMs)) / 100) / 10
    const detail =
      state === 'crash-looped'
        ? 'it could not be started'
        : (lastExit?.signal ?? (code === null ? 'nobody saw how it ended' : `exit code ${code}`))
    return { code, ok: state === 'ended' && code === 0, detail, seconds, lastLines: lines }
  }

  const untilEnd = async (
    { hash }: Wanted,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<RunEnd> => {
    const beganMs = context.clock.now()
    const deadlineMs = context.clock.monotonicMs() + timeoutMs
    for (;;) {
      await parts.watch().round()
      const replica = replicaOf(hash)
      if (replica !== undefined && hasEnded(replica)) return endOf(replica, beganMs)
      const isLate = context.clock.monotonicMs() > deadlineMs
      throwUnlessCancelled(signal)
      if (isLate || signal.aborted) {
        const lines = replica === undefined ? [] : (await logs.tail(replica.logFile, tailLines)).lines
        const detail = isLate ? 'it took too long and was stopped' : 'it was cancelled'
        const seconds = Math.round((context.clock.now() - beganMs) / 100) / 10
        return { code: null, ok: false, detail, seconds, lastLines: lines }
      }
      await context.clock.sleep(pollMs)
    }
  }

  return {
    run: async (place, { actor, correlation, why }, signal) => {
      const { job, key } = place
      const config = Object.hasOwn(jobs, job) ? jobs[job] : undefined
      if (config === undefined) throw unknownJob(job, Object.keys(jobs))
      const specification = runSpecification(config, place, ground)
      const one = { specification, hash: contentHash(specification) }
      const extras = { subject: `job:${job}`, actor, correlation }
      if (replicaOf(one.hash) === undefined)
        await context.record(facts.runBegun, { job, run: key, why }, extras)
      wanted.set(one.hash, one)
      const end = await untilEnd(one, { timeoutMs: config.timeout, signal })
      wanted.delete(one.hash)
      told.add(one.hash)
      const { code, detail, seconds, lastLines } = end
      const data = { job, run: key, code, detail, seconds, lastLines: [...lastLines] }
      await context.record(end.ok ? facts.runEnded : facts.runFailed, data, extras)
      return end
    },
    underWay: (job) =>
      [...wanted.values()].filter(({ specification }) => specification.service === `${jobPrefix}${job}`)
        .length,
    groups: (replicas) => {
      const now = context.clock.now()
      const own = [...wanted.values()].map(({ specification, hash }) => ({
        service: specification.service,
        hash,
        specification,
        replicas: 1,
        leaving: [],
      }))
      // An earlier control's: whoever began it will ask for its end.
      const found = replicas.filter(
        (replica) =>
          isRun(replica) &&
          !replica.leaving &&
          !wanted.has(replica.specHash) &&
          !told.has(replica.specHash) &&
          !(hasEnded(replica) && now - (replica.lastExit?.at ?? 0) > keptMs),
      )
      for (const hash of told) if (!replicas.some((replica) => replica.specHash === hash)) told.delete(hash)
      return [
        ...own,
        ...found.map(({ service, specHash }) => ({
          service,
          hash: specHash,
          specification: null,
          replicas: 1,
          leaving: [],
        })),
      ]
    },
  }
}

function unknownJob(job: string, known: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'environment.unknown-job',
    kind: 'user',
    message: `there is no job "${job}"`,
    hint:
      known.length === 0 ? 'the file names none: add it under "jobs"' : `the jobs are ${known.join(', ')}`,
    path: 'job',
  })
}
