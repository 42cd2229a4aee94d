import { environmentFacts as facts } from '../../contracts/environment.ts'
import type { Call } from '../../kernel/capability/index.ts'
import { planNow, refuseLoss, summaryOf, type PlanGround } from './plan-now.ts'

/**
 * Accepts the file as it is, unseen: plan and apply in one, without waiting for the end. What destroys data is refused.
 * A reload is a restart of control (docs/decisions/0003). Errors: `environment.destroys-data`, those of reading the file.
 */
export async function reload(
  ground: PlanGround,
  { caller, correlation }: Call,
): Promise<{ changed: boolean; says: string }> {
  const { plan, fresh } = await planNow(ground)
  if (plan.steps.length === 0) return { changed: false, says: 'nothing has changed' }
  refuseLoss(plan.destroys, 'look at it with "holdfast environment plan", and apply that')
  const summary = summaryOf(plan)
  await ground.accept(fresh)
  await ground.context.record(
    facts.configurationAccepted,
    { hash: fresh.hash, summary },
    { actor: caller.actor, correlation },
  )
  if (fresh.hash !== ground.loaded.hash) await ground.handOver(fresh)
  return { changed: true, says: summary }
}
