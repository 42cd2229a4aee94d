import {
  environmentFacts as facts,
  environmentOperations,
  type EnvironmentPlan,
} from '../../contracts/environment.ts'
import type { JobCall } from '../../kernel/capability/index.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { planNow, summaryOf, type PlanGround } from './plan-now.ts'

/** What is to be applied. */
export interface WantedApply {
  readonly plan: string
  /** Objects whose data may be lost. */
  readonly destroy: readonly string[]
}

/** What a plan became. */
export type Applied = { readonly plan: string; readonly steps: number; readonly says: string }

const pollMs = 250
/** Long enough for any sum of start timeouts that a person would wait for. */
const patienceMs = 3_600_000
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
  if (unnamed.length === 0) return
  throw new HoldfastError({
    code: 'environment.destroys-data',
    kind: 'user',
    message: `this would destroy data: ${unnamed.join(', ')}`,
    hint: `if you mean it: ${unnamed.map((object) => `--destroy "${object}"`).join(' ')}`,
  })
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

type Accepted = {
  readonly hash: string
  readonly steps: number
  readonly at: number
  readonly destroys: readonly string[]
  /** The file is the one that runs: what was given up is tried once more. */
  readonly isRetry: boolean
}

/** Accepts the file, once. */
async function accept(ground: PlanGround, wanted: WantedApply, call: JobCall): Promise<Accepted> {
  return call.step('accept', async () => {
    await refuseBusy(ground)
    const { plan, fresh } = await planNow(ground)
    refusePlan(plan, wanted)
    const steps = plan.steps.length
    const at = ground.context.clock.now()
    if (steps === 0) return { hash: ground.loaded.hash, steps, at, destroys: [], isRetry: false }
    await ground.accept(fresh)
    const summary = summaryOf(plan)
    const extras = { actor: call.caller.actor, correlation: call.correlation }
    await ground.context.record(facts.configurationAccepted, { hash: fresh.hash, summary }, extras)
    const data = { plan: plan.hash, job: call.jobId, steps, summary }
    await ground.context.record(facts.applyBegun, data, extras)
    return {
      hash: fresh.hash,
      steps,
      at,
      destroys: plan.destroys,
      isRetry: fresh.hash === ground.loaded.hash,
    }
  })
}

/** Ends this control; the one that follows begins the job again and finds the step done. */
async function startAnew({ context, endControl }: PlanGround, call: JobCall): Promise<never> {
  call.progress(0.1, 'control starts anew with the changed file')
  endControl()
  await context.clock.sleep(patienceMs, call.signal)
  throw new HoldfastError({
    code: 'kernel.unexpected',
    kind: 'bug',
    message: 'control did not end although it was asked to',
  })
}

type End = 'done' | { readonly failed: string }

async function endNow({ context }: PlanGround, call: JobCall): Promise<End | null> {
  const { services } = await context.call(environmentOperations.status, {})
  const refused = services.find(({ phase }) => phase === 'refused')
  if (refused !== undefined) return { failed: refused.rollout }
  const moving = services.filter(({ phase, state }) => phase !== 'steady' || state === 'starting')
  if (moving.length === 0) return 'done'
  const done = services.length - moving.length
  call.progress(done / services.length, moving.map(({ rollout, says }) => rollout || says).join('; '))
  return null
}

async function untilEnd(ground: PlanGround, call: JobCall): Promise<End> {
  const { clock } = ground.context
  const deadlineMs = clock.monotonicMs() + patienceMs
  for (;;) {
    const end = await endNow(ground, call)
    if (end !== null) return end
    if (clock.monotonicMs() > deadlineMs) return { failed: 'it was waited for long enough' }
    await clock.sleep(pollMs, call.signal)
  }
}

/**
 * Makes a plan come true: accepts the file, which ends control, and goes on in the control that follows, until every
 * service has come to what is wished or has refused it. Killed at any instant it goes on from what it sees.
 * Errors: `environment.plan-outdated`, `environment.destroys-data`, `environment.deploy-under-way`,
 * `environment.apply-failed`.
 */
export async function apply(ground: PlanGround, wanted: WantedApply, call: JobCall): Promise<Applied> {
  const { hash, steps, at, destroys, isRetry } = await accept(ground, wanted, call)
  if (steps === 0) return { plan: wanted.plan, steps, says: 'Nothing was to be changed' }
  if (hash !== ground.loaded.hash) await startAnew(ground, call)
  if (isRetry) await ground.context.clock.sleep(settleMs, call.signal)
  const end = await untilEnd(ground, call)
  const data = { plan: wanted.plan, job: call.jobId, steps }
  const extras = { actor: call.caller.actor, correlation: call.correlation }
  if (end !== 'done') {
    await ground.context.record(facts.applyFailed, { ...data, because: end.failed }, extras)
    throw failed(end.failed)
  }
  for (const object of destroys) await ground.destroy(object)
  const seconds = Math.round((ground.context.clock.now() - at) / 100) / 10
  await ground.context.record(facts.applied, { ...data, seconds }, extras)
  return { plan: wanted.plan, steps, says: `${steps === 1 ? '1 change was' : `${steps} changes were`} made` }
}

function failed(because: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.apply-failed',
    kind: 'operational',
    message: `the file was accepted, but not all of it came about: ${because}`,
    hint: 'mend it and plan again; "holdfast environment drift" says what is left',
  })
}
