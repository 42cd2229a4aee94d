import type { Group } from '../../capabilities/environment/ports.ts'
import type { DesiredReplicas, ReplicaSpec, ReplicaStatus } from '../../contracts/supervisor.ts'

const slotOf = ({ id }: Pick<ReplicaStatus, 'id'>): number => Number(id.slice(id.indexOf('/') + 1))

/** Those of a group, the ones that may go last. */
function membersOf(group: Group, present: readonly ReplicaStatus[]): readonly ReplicaStatus[] {
  const goes = ({ id }: ReplicaStatus): number => (group.leaving.includes(id) ? 1 : 0)
  return present
    .filter(
      ({ service, specHash, leaving }) => service === group.service && specHash === group.hash && !leaving,
    )
    .toSorted((a, b) => goes(a) - goes(b) || slotOf(a) - slotOf(b))
}

/** The smallest slots that nobody has; one that is being left is somebody's still, for its port and its log are. */
function freeSlots(count: number, taken: ReadonlySet<number>): readonly number[] {
  const slots: number[] = []
  for (let slot = 1; slots.length < count; slot++) if (!taken.has(slot)) slots.push(slot)
  return slots
}

/**
 * Gives the replicas of groups slots: those that are there keep theirs, new ones get the smallest that are free. Pure, so
 * asking again after an answer was lost gives the same.
 */
export function allocate(groups: readonly Group[], present: readonly ReplicaStatus[]): DesiredReplicas {
  const replicas: ReplicaSpec[] = []
  const keep: string[] = []
  const taken = new Map<string, Set<number>>()
  for (const one of present) {
    taken.set(one.service, (taken.get(one.service) ?? new Set()).add(slotOf(one)))
  }
  for (const group of groups) {
    const staying = membersOf(group, present).slice(0, group.replicas)
    const { service, specification } = group
    if (specification === null) {
      keep.push(...staying.map(({ id }) => id))
      continue
    }
    const slots = taken.get(service) ?? new Set()
    const fresh = freeSlots(group.replicas - staying.length, slots)
    for (const slot of fresh) slots.add(slot)
    taken.set(service, slots)
    const ids = [...staying.map(({ id }) => id), ...fresh.map((slot) => `${service}/${slot}`)]
    replicas.push(...ids.map((id) => ({ ...specification, id })))
  }
  return { replicas, keep }
}
