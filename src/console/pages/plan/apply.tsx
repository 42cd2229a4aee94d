import type { ReactNode } from 'react'
import type { EnvironmentPlan } from '../../../contracts/index.ts'
import { JobButton } from '../../parts/job-button.tsx'
import { placeOf } from '../../router/router.ts'
import { planOfApply } from '../../words/changes.ts'

/** Makes the plan that is shown come true; what would be destroyed has to be typed out. */
export function ApplyButton({ plan }: { plan: EnvironmentPlan }): ReactNode {
  return (
    <JobButton
      operation="environment.apply"
      input={{ plan: plan.hash, destroy: plan.destroys }}
      look="main"
      label="Apply"
      title={`Apply plan ${plan.hash}`}
      action="Apply"
      plan={planOfApply(plan)}
      typed={plan.destroys}
      words={{
        done: ({ says }) => `${says}.`,
        failed: `Plan ${plan.hash} was not applied`,
        href: placeOf(['timeline'], { kind: 'environment.*' }),
      }}
    />
  )
}
