import type { ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { JobButton } from '../../parts/job-button.tsx'
import { placeOf } from '../../router/router.ts'
import { sayThings } from '../../words/format.ts'

type Service = EnvironmentStatus['services'][number]

function planOf(service: Service): readonly ReactNode[] {
  const names = service.replicas.map(({ id }) => id).join(', ')
  const several = service.replicas.length > 1
  return [
    <>
      {several
        ? `${sayThings(service.replicas.length, 'replica')} (${names}) are stopped and started, one after the other.`
        : `Its one replica (${names}) is stopped and started again.`}
    </>,
    several
      ? 'The next one is not touched before the one before it is healthy again.'
      : 'Until it is healthy again, requests to it are answered with 503.',
    several ? 'Meanwhile the edge sends requests to the others.' : 'Other services are not touched.',
  ]
}

/** Restarts a service: shows the plan, then the progress, then what came of it. */
export function RestartButton({ service }: { service: Service }): ReactNode {
  const { name } = service
  if (service.command === null) return null
  return (
    <JobButton
      operation="environment.restart"
      input={{ service: name }}
      icon="restart"
      label="Restart"
      title={`Restart ${name}`}
      action="Restart"
      plan={planOf(service)}
      words={{
        done: ({ restarted }) => `${name} was restarted: ${restarted.join(', ')}`,
        failed: `${name} was not restarted`,
        href: placeOf(['timeline'], { subject: `service:${name}` }),
      }}
    />
  )
}
