import { environmentFacts as facts } from '../../contracts/environment.ts'
import type { Call } from '../../kernel/capability/index.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { planNow, summaryOf, type PlanGround } from './plan-now.ts'

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
  if (plan.destroys.length > 0) throw destroys(plan.destroys)
  const summary = summaryOf(plan)
  await ground.accept(fresh)
  await ground.context.record(
    facts.configurationAccepted,
    { hash: fresh.hash, summary },
    { actor: caller.actor, correlation },
  )
  if (fresh.hash !== ground.loaded.hash) ground.endControl()
  return { changed: true, says: summary }
}

function destroys(objects: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'environment.destroys-data',
    kind: 'user',
    message: `this would destroy data: ${objects.join(', ')}`,
    hint: 'look at it with "holdfast environment plan", and apply that',
  })
}
