import {
  environmentFacts as facts,
  environmentOperations,
  type EnvironmentPlan,
} from '../../contracts/environment.ts'
import type { JobCall } from '../../kernel/capability/index.ts'
import { HoldfastError, plainError, type FactDeclaration } from '../../kernel/std/index.ts'
import { lastSaid } from '../../kernel/timeline/index.ts'
import { startTimeoutsOf, type LoadedEnvironment } from '../composition/index.ts'
import { decideEnd, stillIll, touchedBy } from './decide-end.ts'
import { knownStatus, planNow, refuseLoss, summaryOf, type PlanGround } from './plan-now.ts'

/** What is to be applied. */
export interface WantedApply {
  readonly plan: string
  /** Objects whose data may be lost. */
  readonly destroy: readonly string[]
}

/** What a plan became. */
export type Applied = { readonly plan: string; readonly steps: number; readonly says: string }

const pollMs = 100
/** Long enough for any sum of start timeouts that a person would wait for. */
const patienceMs = 3_600_000
/** A supervisor that was killed is back by then, or is not coming by itself. */
const awayMs = 300_000
/** Where control was not started anew, a look at the services has to come before the first question. */
const settleMs = 1500

function refusePlan(plan: EnvironmentPlan, wanted: WantedApply): void {
  if (plan.hash !== wanted.plan) {
    throw new HoldfastError({
      code: 'environment.plan-outdated',
      kind: 'user',
      message: `plan ${wanted.plan} is no longer what would happen: the file or what runs has changed since`,
      hint: `look at the new one with "holdfast environment plan" (${plan.hash})`,
    })
  }
  const unnamed = plan.destroys.filter((object) => !wanted.destroy.includes(object))
  refuseLoss(unnamed, `if you mean it: ${unnamed.map((object) => `--destroy "${object}"`).join(' ')}`)
}

/** A deploy or another apply on its way would make it unclear what brought about what. */
async function refuseBusy({ context }: PlanGround): Promise<void> {
  const { deploys } = await context.call(environmentOperations.deploys, { most: 5 })
  const other = deploys.find(({ outcome }) => outcome === 'under way')
  if (other === undefined) return
  throw new HoldfastError({
    code: 'environment.deploy-under-way',
    kind: 'user',
    message: `a deploy of ${other.service} is under way`,
    hint: `wait for it, or cancel it: holdfast jobs cancel ${other.job}`,
  })
}

type Begun = {
  /** Of the file that is to be accepted. */
  readonly hash: string
  /** Of the one that ran before; the same: what was given up is tried once more. */
  readonly before: string
  readonly steps: number
  readonly at: number
  readonly summary: string
  readonly destroys: readonly string[]
  /** Services that are to be well in the end; absent: an older version began. */
  readonly touched?: readonly string[]
}

/** One attempt at an apply. */
interface Attempt {
  readonly ground: PlanGround
  readonly call: JobCall
  /** The file as this attempt planned it; absent: another control did. */
  read?: LoadedEnvironment
}

/** Looks whether the plan may begin; nothing is changed yet. */
async function begin(attempt: Attempt, wanted: WantedApply): Promise<Begun> {
  const { ground, call } = attempt
  return call.step('begin', async () => {
    await refuseBusy(ground)
    const { plan, fresh } = await planNow(ground)
    refusePlan(plan, wanted)
    attempt.read = fresh
    const [summary, steps] = [summaryOf(plan), plan.steps.length]
    const [hash, before, at] = [fresh.hash, ground.loaded.hash, ground.context.clock.now()]
    return { hash, before, steps, at, summary, destroys: plan.destroys, touched: touchedBy(plan) }
  })
}

/** Says a fact of this apply, unless an earlier control has said it. */
async function sayOnce<Data>(
  { ground: { context }, call: { caller, correlation } }: Attempt,
  declaration: FactDeclaration<Data>,
  data: Data,
): Promise<void> {
  if ((await lastSaid(context.timeline, { correlation }, [declaration])) !== null) return
  await context.record(declaration, data, { actor: caller.actor, correlation })
}

async function accept(attempt: Attempt, { hash, summary }: Begun): Promise<LoadedEnvironment> {
  const { ground, read } = attempt
  const fresh = read ?? (await ground.readAgain())
  if (fresh.hash !== hash) throw new Error('the file was changed while it was being applied')
  await ground.accept(fresh)
  await sayOnce(attempt, facts.configurationAccepted, { hash, summary })
  return fresh
}

/** Brings control onto the file: this one if it runs it already, else the one that follows. */
async function takeOver(attempt: Attempt, begun: Begun): Promise<void> {
  const { ground, call } = attempt
  const { hash, before, summary } = begun
  const { loaded, context } = ground
  if (hash === before) {
    await call.step('try once more', async () => {
      await accept(attempt, begun)
      return {}
    })
    return context.clock.sleep(settleMs, call.signal)
  }
  if (loaded.hash === hash) return sayOnce(attempt, facts.configurationAccepted, { hash, summary })
  if (loaded.hash !== before) throw new Error('another file was applied meanwhile')
  const fresh = await accept(attempt, begun)
  call.progress(0.1, 'control starts anew with the changed file')
  await ground.handOver(fresh)
  // The control that follows begins the job again.
  await context.clock.sleep(patienceMs, call.signal)
}

type End = 'done' | { readonly failed: string }

/** Waits until all of it has come about, or something of it will not. */
async function untilEnd({ ground, call }: Attempt, { touched = [] }: Begun): Promise<End> {
  const { clock } = ground.context
  const startTimeouts = startTimeoutsOf(ground.loaded)
  const deadlineMs = clock.monotonicMs() + patienceMs
  let illSince: ReadonlyMap<string, number> = new Map()
  for (;;) {
    const { services } = await knownStatus(ground)
    const nowMs = clock.monotonicMs()
    illSince = stillIll(services, illSince, nowMs)
    const end = decideEnd({ services, touched, illSince, startTimeouts, nowMs, now: clock.now() })
    if (end === 'done' || 'failed' in end) return end
    if (nowMs > deadlineMs) return { failed: 'it was waited for long enough' }
    call.progress(end.share, end.says)
    await clock.sleep(pollMs, call.signal)
  }
}

/** Whether control stops, and the one that follows goes on. */
const isInterrupted = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && plainError(reason).code === 'jobs.interrupted'

/** Facts about databases are told as those of services are. */
const subjectOf = (object: string): string => object.replace(/^database /, 'service:').replace(' ', ':')

/** Removes what holds data, and says so, once. */
async function destroyOnce(attempt: Attempt, object: string): Promise<void> {
  const { ground, call } = attempt
  const { context } = ground
  const { caller, correlation, jobId } = call
  const subject = subjectOf(object)
  if ((await lastSaid(context.timeline, { correlation, subject }, [facts.destroyed])) !== null) return
  await destroy(attempt, object)
  const data = { object, job: jobId }
  await context.record(facts.destroyed, data, { actor: caller.actor, correlation, subject })
}

/** Destroys an object; a supervisor that is away for a moment is waited for, for nobody comes back to what is left over. */
async function destroy({ ground, call }: Attempt, object: string): Promise<void> {
  const { clock } = ground.context
  const deadlineMs = clock.monotonicMs() + awayMs
  for (;;) {
    try {
      return await ground.destroy(object)
    } catch (error) {
      const isAway = plainError(error).code === 'supervisor.unreachable'
      if (!isAway || clock.monotonicMs() > deadlineMs) throw error
    }
    await clock.sleep(pollMs, call.signal)
  }
}

/** Everything between the fact that begins it and the one that ends it. */
async function bringAbout(attempt: Attempt, begun: Begun): Promise<End> {
  const { call } = attempt
  try {
    await takeOver(attempt, begun)
    const end = await untilEnd(attempt, begun)
    if (end === 'done') for (const object of begun.destroys) await destroyOnce(attempt, object)
    return end
  } catch (error) {
    if (isInterrupted(call.signal)) throw error
    return { failed: plainError(error).message }
  }
}

/** How an earlier control has said that this apply ended; null: it has not. Errors: `environment.apply-failed`. */
async function readEnd({ ground, call }: Attempt): Promise<Applied | null> {
  const { timeline } = ground.context
  const fact = await lastSaid(timeline, { correlation: call.correlation }, [facts.applied, facts.applyFailed])
  if (fact === null) return null
  if (fact.kind === facts.applyFailed.kind) throw failed(facts.applyFailed.data.parse(fact.data).because)
  const { plan, steps } = facts.applied.data.parse(fact.data)
  return { plan, steps, says: sayDone(steps) }
}

const sayDone = (steps: number): string => `${steps === 1 ? '1 change was' : `${steps} changes were`} made`

/**
 * Makes a plan come true: accepts the file, which ends control, and goes on in the control that follows, until every
 * service has come to what is wished or has refused it. Killed at any instant it goes on from what it has said and sees.
 * Errors: `environment.plan-outdated`, `environment.destroys-data`, `environment.deploy-under-way`,
 * `environment.apply-under-way`, `environment.apply-failed`.
 */
export async function apply(ground: PlanGround, wanted: WantedApply, call: JobCall): Promise<Applied> {
  const attempt: Attempt = { ground, call }
  return alone(ground, call, async () => (await readEnd(attempt)) ?? (await applyOnce(attempt, wanted)))
}

async function applyOnce(attempt: Attempt, wanted: WantedApply): Promise<Applied> {
  const { ground, call } = attempt
  const { plan } = wanted
  const begun = await begin(attempt, wanted)
  const { steps, at, summary } = begun
  if (steps === 0) return { plan, steps, says: 'Nothing was to be changed' }
  const data = { plan, job: call.jobId, steps }
  await sayOnce(attempt, facts.applyBegun, { ...data, summary })
  const end = await bringAbout(attempt, begun)
  if (end !== 'done') {
    await sayOnce(attempt, facts.applyFailed, { ...data, because: end.failed })
    throw failed(end.failed)
  }
  const seconds = Math.round((ground.context.clock.now() - at) / 100) / 10
  await sayOnce(attempt, facts.applied, { ...data, seconds })
  return { plan, steps, says: sayDone(steps) }
}

/** Says that an apply which was begun has ended, when its job ends without going on; what was accepted stays so. */
export async function concludeApply(ground: PlanGround, call: JobCall, because: string): Promise<void> {
  const { timeline } = ground.context
  const begun = await lastSaid(timeline, { correlation: call.correlation }, [facts.applyBegun])
  const ended = await lastSaid(timeline, { correlation: call.correlation }, [
    facts.applied,
    facts.applyFailed,
  ])
  if (begun === null || ended !== null) return
  const { plan, job, steps } = facts.applyBegun.data.parse(begun.data)
  await sayOnce({ ground, call }, facts.applyFailed, { plan, job, steps, because })
}

/** One at a time: two would each take the other's changes for its own. */
async function alone<T>({ applying }: PlanGround, { jobId }: JobCall, act: () => Promise<T>): Promise<T> {
  if (applying.job !== null && applying.job !== jobId) throw underWay(applying.job)
  applying.job = jobId
  try {
    return await act()
  } finally {
    applying.job = null
  }
}

function underWay(job: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.apply-under-way',
    kind: 'user',
    message: 'another plan is being applied',
    hint: `wait for it, or cancel it: holdfast jobs cancel ${job}`,
  })
}

function failed(because: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.apply-failed',
    kind: 'operational',
    message: `not all of the plan came about: ${because}`,
    hint: 'mend it and plan again; "holdfast environment drift" says what is left',
  })
}
