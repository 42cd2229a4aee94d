import {
  environmentFacts as facts,
  environmentOperations,
  type Drift,
  type EnvironmentStatus,
} from '../../contracts/environment.ts'
import { bindJob, bindValue, type Context, type OperationBinding } from '../../kernel/capability/index.ts'
import { plainError } from '../../kernel/std/index.ts'
import { apply, concludeApply } from './apply.ts'
import { findDrift } from './find-drift.ts'
import { planNow, type PlanGround } from './plan-now.ts'
import { reload } from './reload.ts'

/** When each service was last said not to be as it should be. */
async function illSince(
  { timeline }: Pick<Context, 'timeline'>,
  { services }: EnvironmentStatus,
): Promise<Readonly<Record<string, number>>> {
  const kinds = [facts.serviceUnhealthy.kind, facts.rolloutRefused.kind]
  const found = await Promise.all(
    services.map(async ({ name }) => {
      const [fact] = await timeline.read({ kinds, subject: `service:${name}`, order: 'newest', limit: 1 })
      return fact === undefined ? [] : [[name, fact.at] as const]
    }),
  )
  return Object.fromEntries(found.flat())
}

async function driftNow(ground: PlanGround): Promise<Drift> {
  const { context } = ground
  const status = await context.call(environmentOperations.status, {})
  const since = await illSince(context, status)
  try {
    const { plan } = await planNow(ground, status)
    return findDrift({ status, since, plan, trouble: '' })
  } catch (error) {
    return findDrift({ status, since, plan: null, trouble: plainError(error).message })
  }
}

/** Binds what is said about plans to its code. */
export function bindPlans(given: Omit<PlanGround, 'applying'>): readonly OperationBinding[] {
  const ground = { ...given, applying: { job: null } }
  return [
    bindValue(environmentOperations.plan, async () => (await planNow(ground)).plan),
    bindValue(environmentOperations.drift, () => driftNow(ground)),
    bindValue(environmentOperations.reload, (_input, call) => reload(ground, call)),
    bindJob(
      environmentOperations.apply,
      (input, call) => apply(ground, input, call),
      (_, call, because) => concludeApply(ground, call, because),
    ),
  ]
}
