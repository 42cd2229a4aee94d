import type { SupervisorStatus } from '../../../contracts/supervisor.ts'
import type { Clock } from '../../../kernel/std/index.ts'
import type { ServicesConfig } from '../config.ts'
import type { Rollouts } from '../rollout/index.ts'
import { servingTargets, targetsOf, type Target } from './assess.ts'

/** A target with its share beside the others. */
export interface ServingTarget extends Target {
  /** 0 to 1000; 100 is ordinary. */
  readonly weight: number
}

/** What passes between the watcher and the edge. */
export interface TargetsDoor {
  /** The targets of a service that the edge shall know. */
  targets(service: string): readonly ServingTarget[]
  /** Takes a replica away from the edge, while its service has another; the answer gives it back. */
  withhold(replicaId: string): () => void
  /** Calls the listener when the set of targets has changed, and at once when it is known already. */
  onTargets(listener: () => void): void
  /** Told to which targets the edge sends, whenever it has said so. */
  sentTo(targets: ReadonlySet<string>): void
  /** Whether the edge may send to a replica; of one that has not been heard of for long it is not believed. */
  isSentTo(replicaId: string): boolean
}

/** What the targets come from. */
export interface TargetsGround {
  readonly services: ServicesConfig
  readonly status: () => SupervisorStatus | null
  readonly rollouts: Rollouts
  readonly clock: Clock
}

/** An edge that is killed is back, and told what is new, within a few seconds; without one nothing is held up for longer. */
const patienceMs = 30_000

/** What the edge is told of targets, and when: at every change of the set; and what it says that it was told. */
export function createTargets({ services, status, rollouts, clock }: TargetsGround): {
  readonly tell: () => void
  readonly door: TargetsDoor
} {
  const listeners = new Set<() => void>()
  const withheld = new Set<string>()
  let known = ''
  let sentTo: ReadonlySet<string> | null = null
  let heardMs = clock.monotonicMs()
  const targets = (name: string): readonly ServingTarget[] => {
    const service = services[name]
    if (service === undefined) return []
    const apart = new Set([...withheld, ...rollouts.withheld()])
    return servingTargets(targetsOf(name, service, status()), apart).map((target) => ({
      ...target,
      weight: rollouts.weightOf(target.group),
    }))
  }
  const tell = (): void => {
    const all = Object.keys(services).flatMap(targets)
    const key = JSON.stringify(all.map(({ id, origin, weight }) => [id, origin, weight]))
    if (key === known) return
    known = key
    for (const listener of listeners) listener()
  }
  const door: TargetsDoor = {
    targets,
    withhold: (replicaId) => {
      withheld.add(replicaId)
      tell()
      return () => {
        withheld.delete(replicaId)
        tell()
      }
    },
    onTargets: (listener) => {
      listeners.add(listener)
      // Who starts later than we do must not wait for the next change.
      if (known !== '') listener()
    },
    sentTo: (ids) => {
      sentTo = ids
      heardMs = clock.monotonicMs()
    },
    isSentTo: (replicaId) => {
      const isHeard = listeners.size > 0 && clock.monotonicMs() - heardMs < patienceMs
      return isHeard && (sentTo === null || sentTo.has(replicaId))
    },
  }
  return { tell, door }
}
