import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { ReplicaStatus, Specification } from '../../../contracts/supervisor.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { contentHash, HoldfastError, lookUp } from '../../../kernel/std/index.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'
import type { Group, LogReader } from '../ports.ts'
import { throwUnlessCancelled } from '../cancelled.ts'
import type { Watch } from '../watch/index.ts'
import type { JobsConfig } from './config.ts'
import { isOfJob, jobPrefix, runSpecification, type RunGround, type RunPlace } from './specification.ts'

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
  readonly context: Pick<Context, 'clock' | 'record' | 'timeline'>
  readonly watch: Pick<Watch, 'status' | 'round' | 'trouble'>
  readonly logs: Pick<LogReader, 'tail'>
}

/** Runs of jobs, to their ends. */
export interface Runs {
  /**
   * Runs a job and waits for its end. The same key is the same run: asked for again, also by a control that came after,
   * it is joined and not started twice; one that was begun and is not there has failed, for nobody knows whether it ran.
   * Cancelled it is stopped; when control stops it goes on.
   * Errors: `environment.unknown-job`.
   */
  run(place: RunPlace, reason: RunReason, signal: AbortSignal): Promise<RunEnd>
  /** Says that a run which was begun and did not end has failed, and lets it go. */
  conclude(place: RunPlace, reason: RunReason, because: string): Promise<void>
  /** How many runs of a job go on now. */
  underWay(job: string): number
  /** The groups that the engine shall have for runs, given what it has. */
  groups(replicas: readonly ReplicaStatus[]): readonly Group[]
}

const pollMs = 250
/** How long the end of a run waits for a control that asks for it once more. */
const keptMs = 600_000
const tailLines = 20
/** Runs of one job that one undertaking has at most, twice, and some to spare. */
const mostSaid = 100

/** Control died as it was started, or the engine has lost it. */
const nobodyKnows: RunEnd = {
  code: null,
  ok: false,
  detail: 'nobody knows whether it ran: it was begun and is not there; it is not run twice',
  seconds: 0,
  lastLines: [],
}

const isRun = ({ service }: ReplicaStatus): boolean => isOfJob(service)
const hasEnded = ({ state }: ReplicaStatus): boolean => state === 'ended' || state === 'crash-looped'

/** What was said of a run; null: nothing. */
interface Said {
  readonly begun: Fact | null
  readonly end: Fact | null
}

interface Wanted {
  readonly service: string
  /** Null: it was started, and is not to be started again. */
  readonly specification: Specification | null
}

/** Creates runs; what an earlier control began is found by observing. */
export function createRuns(parts: RunParts): Runs {
  return new RunBook(parts)
}

class RunBook implements Runs {
  readonly #parts: RunParts
  readonly #wanted = new Map<string, Wanted>()
  /** Whose end was told: they may go. */
  readonly #told = new Set<string>()

  constructor(parts: RunParts) {
    this.#parts = parts
  }

  async run(place: RunPlace, reason: RunReason, signal: AbortSignal): Promise<RunEnd> {
    const { job, key } = place
    const { jobs, ground, context } = this.#parts
    const config = lookUp(jobs, job)
    if (config === undefined) throw unknownJob(job, Object.keys(jobs))
    const specification = runSpecification(config, place, ground)
    const hash = contentHash(specification)
    const said = await this.#said(place, reason)
    if (said.end !== null) return endSaid(said.end)
    const begun =
      said.begun ??
      (await context.record(facts.runBegun, { job, run: key, why: reason.why }, extrasOf(job, reason)))
    const { service } = specification
    this.#wanted.set(hash, { service, specification: said.begun === null ? specification : null })
    const end = await this.#untilEnd(hash, { timeoutMs: config.timeout, beganMs: begun.at, signal })
    this.#wanted.delete(hash)
    await this.#tell(place, reason, end)
    // Not before its end is said: what is told goes, and whoever is begun again must find one or the other.
    this.#told.add(hash)
    return end
  }

  async conclude(place: RunPlace, reason: RunReason, because: string): Promise<void> {
    const { jobs, ground } = this.#parts
    const { begun, end } = await this.#said(place, reason)
    if (begun === null || end !== null) return
    await this.#tell(place, reason, { ...nobodyKnows, detail: because })
    const config = lookUp(jobs, place.job)
    if (config !== undefined) this.#told.add(contentHash(runSpecification(config, place, ground)))
  }

  async #tell({ job, key }: RunPlace, reason: RunReason, end: RunEnd): Promise<void> {
    const { code, ok, detail, seconds, lastLines } = end
    const data = { job, run: key, code, detail, seconds, lastLines: [...lastLines] }
    await this.#parts.context.record(ok ? facts.runEnded : facts.runFailed, data, extrasOf(job, reason))
  }

  underWay(job: string): number {
    const service = `${jobPrefix}${job}`
    const own = [...this.#wanted.values()].filter((wanted) => wanted.service === service)
    const others = this.#seen().filter(
      (replica) =>
        replica.service === service &&
        !replica.leaving &&
        !hasEnded(replica) &&
        !this.#wanted.has(replica.specHash),
    )
    return own.length + others.length
  }

  groups(replicas: readonly ReplicaStatus[]): readonly Group[] {
    for (const hash of this.#told) {
      if (!replicas.some((replica) => replica.specHash === hash)) this.#told.delete(hash)
    }
    const own = [...this.#wanted].map(([hash, { service, specification }]) => {
      return { service, hash, specification, replicas: 1, leaving: [] }
    })
    const found = replicas.filter((replica) => this.#isKept(replica))
    return [
      ...own,
      ...found.map(({ service, specHash: hash }) => {
        return { service, hash, specification: null, replicas: 1, leaving: [] }
      }),
    ]
  }

  /** What the timeline says of a run, whoever said it. */
  async #said({ job, key }: RunPlace, { correlation }: RunReason): Promise<Said> {
    const kinds = [facts.runBegun, facts.runEnded, facts.runFailed].map(({ kind }) => kind)
    const about = { kinds, subject: `job:${job}`, correlation }
    const found = await this.#parts.context.timeline.read({ ...about, order: 'newest', limit: mostSaid })
    const own = found.filter(({ data }) => data?.['run'] === key)
    const of = (isBegun: boolean): Fact | null =>
      own.find(({ kind }) => (kind === facts.runBegun.kind) === isBegun) ?? null
    return { begun: of(true), end: of(false) }
  }

  #seen(): readonly ReplicaStatus[] {
    return this.#parts.watch.status()?.replicas ?? []
  }

  #replicaOf(hash: string): ReplicaStatus | undefined {
    return this.#seen().find((replica) => isRun(replica) && replica.specHash === hash)
  }

  /** An earlier control's: whoever began it will ask for its end. */
  #isKept(replica: ReplicaStatus): boolean {
    const { specHash, leaving, lastExit } = replica
    if (!isRun(replica) || leaving || this.#wanted.has(specHash) || this.#told.has(specHash)) return false
    return !hasEnded(replica) || this.#parts.context.clock.now() - (lastExit?.at ?? 0) <= keptMs
  }

  async #untilEnd(hash: string, { timeoutMs, beganMs, signal }: Patience): Promise<RunEnd> {
    const { context } = this.#parts
    const deadlineMs = context.clock.monotonicMs() + timeoutMs
    for (;;) {
      const replica = await this.#look(hash)
      if (replica === 'lost') return nobodyKnows
      if (replica !== undefined && hasEnded(replica)) return endOf(replica, beganMs)
      throwUnlessCancelled(signal)
      const isLate = context.clock.monotonicMs() > deadlineMs
      if (isLate || signal.aborted) {
        const detail = isLate ? 'it took too long and was stopped' : 'it was cancelled'
        return this.#stopped(replica, { detail, seconds: secondsSince(beganMs, context.clock.now()) })
      }
      await context.clock.sleep(pollMs)
    }
  }

  /** One that was there, or that an earlier control may have started, is not started again. */
  async #look(hash: string): Promise<ReplicaStatus | undefined | 'lost'> {
    const { watch } = this.#parts
    await watch.round()
    const [replica, wanted] = [this.#replicaOf(hash), this.#wanted.get(hash)]
    if (replica !== undefined && wanted !== undefined)
      this.#wanted.set(hash, { ...wanted, specification: null })
    const isLost = replica === undefined && wanted?.specification === null && watch.trouble() === null
    return isLost ? 'lost' : replica
  }

  async #stopped(
    replica: ReplicaStatus | undefined,
    said: Pick<RunEnd, 'detail' | 'seconds'>,
  ): Promise<RunEnd> {
    const tail = replica === undefined ? null : await this.#parts.logs.tail(replica.logFile, tailLines)
    return { code: null, ok: false, ...said, lastLines: tail?.lines ?? [] }
  }
}

const extrasOf = (job: string, { actor, correlation }: RunReason) => ({
  subject: `job:${job}`,
  actor,
  correlation,
})

interface Patience {
  readonly timeoutMs: number
  /** When it was said to begin, milliseconds since the epoch. */
  readonly beganMs: number
  readonly signal: AbortSignal
}

const secondsSince = (fromMs: number, toMs: number): number =>
  Math.round(Math.max(0, toMs - fromMs) / 100) / 10

function sayEnd({ state, lastExit }: ReplicaStatus): string {
  if (state === 'crash-looped') return 'it could not be started'
  if (lastExit?.signal) return lastExit.signal
  return typeof lastExit?.code === 'number' ? `exit code ${lastExit.code}` : 'nobody saw how it ended'
}

function endOf(replica: ReplicaStatus, beganMs: number): RunEnd {
  const { code, at, lastLines } = replica.lastExit ?? { code: null, at: beganMs, lastLines: [] }
  const ok = replica.state === 'ended' && code === 0
  return { code, ok, detail: sayEnd(replica), seconds: secondsSince(beganMs, at), lastLines }
}

function endSaid({ kind, data }: Fact): RunEnd {
  const { code, detail, seconds, lastLines } = facts.runEnded.data.parse(data)
  return { code, ok: kind === facts.runEnded.kind, detail, seconds, lastLines }
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
