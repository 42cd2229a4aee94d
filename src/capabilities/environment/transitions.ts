import type { EnvironmentStatus } from '../../contracts/environment.ts'

type ServiceView = EnvironmentStatus['services'][number]

/** What was last said about a service on the timeline. */
export type Said = 'healthy' | 'unhealthy' | 'nothing'

/** A change worth a fact. */
export interface Transition {
  readonly service: ServiceView
  readonly now: 'healthy' | 'unhealthy'
}

/** When a service counts as unhealthy although it may still be starting. */
export interface Patience {
  readonly startTimeoutMs: number
  /** Milliseconds since this service was first seen not healthy. */
  readonly illForMs: number
}

/** A service that stumbles for less than this is not worth a fact. */
const stumbleMs = 3000

/** Whether the state of a service is to be said now: pure, so that noise on the timeline is a decision. */
export function decideTransition(service: ServiceView, said: Said, patience: Patience): Transition | null {
  if (service.state === 'healthy') return said === 'healthy' ? null : { service, now: 'healthy' }
  if (said === 'unhealthy') return null
  const hopeless = service.replicas.some((replica) => ['crash-looped', 'exposed'].includes(replica.state))
  const waitMs = said === 'nothing' ? patience.startTimeoutMs : stumbleMs
  return hopeless || patience.illForMs >= waitMs ? { service, now: 'unhealthy' } : null
}
