import type { EnvironmentStatus } from '../../../contracts/environment.ts'

type ServiceView = EnvironmentStatus['services'][number]

/** What was last said about a service on the timeline. */
export type Said = 'healthy' | 'unhealthy' | 'nothing'

/** A change worth a fact. */
export interface Transition {
  readonly service: ServiceView
  readonly now: 'healthy' | 'unhealthy'
}

/** How long is waited before a change is said. */
export interface Patience {
  readonly startTimeoutMs: number
  /** Milliseconds since this service was first seen in its present condition, well or not. */
  readonly steadyForMs: number
}

/** A service that stumbles for less than this is not worth a fact. */
const stumbleMs = 3000
/** A service that was said to be unhealthy has to be well for this long; one that flaps is said to be ill once. */
const recoveryMs = 5000

/** Whether the state of a service is to be said now: pure, so that noise on the timeline is a decision. */
export function decideTransition(service: ServiceView, said: Said, patience: Patience): Transition | null {
  const now = service.state === 'healthy' ? 'healthy' : 'unhealthy'
  if (said === now) return null
  return patience.steadyForMs >= waitMs(service, said, patience) ? { service, now } : null
}

function waitMs(service: ServiceView, said: Said, { startTimeoutMs }: Patience): number {
  if (service.state === 'healthy') return said === 'nothing' ? 0 : recoveryMs
  if (service.replicas.some((replica) => ['crash-looped', 'exposed'].includes(replica.state))) return 0
  return said === 'nothing' ? startTimeoutMs : stumbleMs
}
