import type { Group } from '../../../capabilities/environment/ports.ts'
import type { Specification } from '../../../contracts/supervisor.ts'
import type { SwarmGroup } from '../../../contracts/docker/swarm.ts'

/** What is to be done so that exactly the groups that are asked for are there. */
export interface ServicesPlan {
  readonly create: readonly { readonly group: Group; readonly specification: Specification }[]
  readonly scale: readonly { readonly id: string; readonly replicas: number }[]
  /** Ids of services. */
  readonly remove: readonly string[]
}

/** How many replicas a group shall have; one without a specification only gets smaller. */
function wantedOf({ specification, replicas }: Group, there: number): number {
  return specification === null ? Math.min(replicas, there) : replicas
}

/** Compares groups with the services of Swarm that are ours; pure, so asking again after a lost answer gives the same. */
export function planServices(groups: readonly Group[], services: readonly SwarmGroup[]): ServicesPlan {
  const asked = groups.filter(({ replicas }) => replicas > 0)
  const find = ({ service, hash }: Group): SwarmGroup | undefined =>
    services.find((there) => there.service === service && there.group === hash)
  const kept = new Set(asked.map((group) => find(group)?.id))
  return {
    create: asked.flatMap((group) => {
      const { specification } = group
      return specification === null || find(group) !== undefined ? [] : [{ group, specification }]
    }),
    scale: asked.flatMap((group) => {
      const there = find(group)
      if (there === undefined) return []
      const replicas = wantedOf(group, there.replicas)
      return replicas === there.replicas ? [] : [{ id: there.id, replicas }]
    }),
    remove: services.filter(({ id }) => !kept.has(id)).map(({ id }) => id),
  }
}
