import { environmentOperations } from '../../contracts/environment.ts'
import { bindJob, bindValue, type OperationBinding } from '../../kernel/capability/index.ts'
import { apply, concludeApply } from './apply.ts'
import { driftNow, type DriftGround } from './drift/index.ts'
import { planNow } from './plan-now.ts'
import { reload } from './reload.ts'

/** Binds what is said about plans to its code. */
export function bindPlans(given: Omit<DriftGround, 'applying'>): readonly OperationBinding[] {
  const ground = { ...given, applying: { job: null } }
  return [
    bindValue(environmentOperations.plan, async () => (await planNow(ground)).plan),
    bindValue(environmentOperations.drift, ({ ignore }) => driftNow(ground, ignore)),
    bindValue(environmentOperations.reload, (_input, call) => reload(ground, call)),
    bindJob(
      environmentOperations.apply,
      (input, call) => apply(ground, input, call),
      (_, call, because) => concludeApply(ground, call, because),
    ),
  ]
}
