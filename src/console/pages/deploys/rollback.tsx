import type { ReactNode } from 'react'
import type { DeployHistory } from '../../../contracts/index.ts'
import { JobButton } from '../../parts/job-button.tsx'
import { placeOf } from '../../router/router.ts'
import { lockOf, planOfRollback } from '../../words/changes.ts'

/** Back to a release that was good, in one step; what happens is said first. */
export function RollbackButton(props: {
  readonly releases: DeployHistory['releases'][number]
  readonly to: string
  /** Default: `Roll back to <to>`. */
  readonly label?: string
  readonly history: DeployHistory
}): ReactNode {
  const { to } = props
  const { service, running } = props.releases
  const { deploys, locks } = props.history
  const underWay = deploys.some(({ outcome }) => outcome === 'under way')
  const back = `Roll back to ${to}`
  return (
    <JobButton
      operation="environment.rollback"
      input={{ service, to }}
      label={props.label ?? back}
      title={`${props.label ?? 'Roll back'} to ${to} of ${service}`}
      action={back}
      plan={planOfRollback(service, running, to)}
      disabled={underWay || lockOf(locks, service) !== undefined}
      words={{
        done: ({ says }) => `${says}.`,
        failed: `${service} was not rolled back`,
        href: placeOf(['timeline'], { subject: `service:${service}` }),
      }}
    />
  )
}

/** Back to the release before; nothing, when there is none to go back to. */
export function BackButton(props: {
  readonly releases: DeployHistory['releases'][number]
  readonly history: DeployHistory
}): ReactNode {
  const { back } = props.releases
  return back === null ? null : <RollbackButton {...props} to={back} />
}
