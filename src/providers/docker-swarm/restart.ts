import { HoldfastError, type Clock } from '../../kernel/std/index.ts'
import type { DockerDoor } from './docker/docker-door.ts'
import type { Look } from './docker/look.ts'
import { changeGroup } from './change-group.ts'
import { ownGroups, type Owner } from './ownership.ts'
import type { Task } from '../../contracts/docker/swarm.ts'
import { hasEnded, livesOf } from './decide/tasks.ts'

/** What a restart is done with. */
export interface RestartGround {
  readonly door: DockerDoor
  readonly look: Look
  readonly clock: Clock
  readonly owner: () => Promise<Owner>
  /** Tasks that were ended here, so that their end is not called a crash. */
  readonly ended: Set<string>
}

const pollMs = 500
const mostMs = 600_000

function unknown(id: string): HoldfastError {
  return new HoldfastError({
    code: 'supervisor.unknown-replica',
    kind: 'user',
    message: `there is no replica ${id}`,
    hint: 'see "holdfast status"',
  })
}

/** On this daemon's own node: its container is stopped, and Swarm starts another. */
async function stopContainer({ door, ended }: RestartGround, task: Task): Promise<void> {
  ended.add(task.id)
  const t = Math.ceil(task.stopTimeoutMs / 1000)
  await door.askPatiently(async (docker) => docker.getContainer(task.container).stop({ t }))
}

/** On another node one task cannot be reached alone: all of the group, one after the other. */
async function renewAll({ door, look, clock }: RestartGround, { swarmService }: Task): Promise<void> {
  const before = new Set((await look()).tasks.map(({ id }) => id))
  await changeGroup(door, swarmService, (spec) => {
    const count = (spec.TaskTemplate.ForceUpdate ?? 0) + 1
    return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ForceUpdate: count } }
  })
  const deadline = clock.monotonicMs() + mostMs
  for (;;) {
    const { tasks } = await look()
    const newest = [...livesOf(tasks.filter((task) => task.swarmService === swarmService)).values()]
    const isDone = newest.every(
      ([task]) => task !== undefined && !before.has(task.id) && (task.state === 'running' || hasEnded(task)),
    )
    if (isDone || clock.monotonicMs() > deadline) return
    await clock.sleep(pollMs)
  }
}

/** Stops and starts a replica. Errors: `supervisor.unknown-replica`, `swarm.taken-over`, those of the door. */
export async function restartReplica(ground: RestartGround, id: string): Promise<void> {
  const { door, look, ended, owner } = ground
  await ownGroups(door, await owner())
  const [{ tasks }, place] = await Promise.all([look(), look.place()])
  const known = new Set(tasks.map((task) => task.id))
  for (const gone of ended) if (!known.has(gone)) ended.delete(gone)
  const task = livesOf(tasks).get(id)?.[0]
  if (task === undefined) throw unknown(id)
  const isHere = task.node === place.node && task.state === 'running' && task.container !== ''
  await (isHere ? stopContainer(ground, task) : renewAll(ground, task))
}
