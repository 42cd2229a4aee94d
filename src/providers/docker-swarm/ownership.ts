import { groupsShape, labels, type SwarmGroup } from '../../contracts/docker/swarm.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { changeGroup } from './change-group.ts'
import { dockerDoor, type DockerDoor } from './docker/docker-door.ts'
import { filterOf } from './docker/look.ts'

/** Whose services they are: those of an environment, looked after from a data directory. */
export interface Owner {
  readonly environment: string
  /** Id of the data directory; empty: it has none yet. */
  readonly id: string
}

/** The services of an environment, whoever looks after them. */
export async function listGroups(door: DockerDoor, environment: string): Promise<readonly SwarmGroup[]> {
  const all = await door.ask(groupsShape, (docker) => docker.listServices({ filters: filterOf(environment) }))
  return all.filter((one) => one.environment === environment)
}

/** Ids of the others that look after some of these; what says nothing of its owner is anybody's. */
function othersAmong(groups: readonly SwarmGroup[], { id }: Owner): readonly string[] {
  return [...new Set(groups.map(({ owner }) => owner))].filter((owner) => owner !== '' && owner !== id)
}

/** The services of an environment, if they are ours to change. Errors: `swarm.taken-over`. */
export async function ownGroups(door: DockerDoor, owner: Owner): Promise<readonly SwarmGroup[]> {
  const groups = await listGroups(door, owner.environment)
  const others = othersAmong(groups, owner)
  if (others.length > 0) throw takenOver(owner.environment, others)
  return groups
}

function takenOver(environment: string, others: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'swarm.taken-over',
    kind: 'user',
    message: `another Holdfast (${others.join(', ')}) looks after the services of ${environment} in this swarm: nothing is changed`,
    hint: 'give one of the two environments another name; if the other is gone for good: holdfast down, and holdfast up --take-over',
  })
}

/** Ids of the others that look after services of an environment; null: the daemon cannot be asked now. Never throws. */
export async function otherOwners(socketPath: string, owner: Owner): Promise<readonly string[] | null> {
  return listGroups(dockerDoor(socketPath), owner.environment).then(
    (groups) => othersAmong(groups, owner),
    () => null,
  )
}

/**
 * Makes the services of an environment ours, without a change to what runs. Answers with the ids of those who looked after
 * them. Errors: those of the door.
 */
export async function claimGroups(socketPath: string, owner: Owner): Promise<readonly string[]> {
  const door = dockerDoor(socketPath)
  const groups = await listGroups(door, owner.environment)
  for (const { id } of groups.filter((group) => group.owner !== owner.id)) {
    await changeGroup(door, id, (spec) => ({ ...spec, Labels: { ...spec.Labels, [labels.owner]: owner.id } }))
  }
  return othersAmong(groups, owner)
}
