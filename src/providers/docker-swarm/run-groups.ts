import type { Group } from '../../capabilities/environment/ports.ts'
import type { Specification } from '../../contracts/supervisor.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { statusOf, unread, type DockerDoor } from './docker/docker-door.ts'
import { registryAuthFor } from './images/registry-auth.ts'
import type { Failures } from './failures.ts'
import type { Images } from './images/images.ts'
import { findNode } from './decide/find-node.ts'
import type { Look } from './docker/look.ts'
import type { SwarmFiles } from './swarm-files.ts'
import { planServices } from './decide/plan-services.ts'
import { serviceSpecOf } from './decide/service-spec.ts'
import { changeGroup } from './change-group.ts'
import { listGroups, ownGroups } from './ownership.ts'

/** What groups are run with. */
export interface RunGround {
  readonly door: DockerDoor
  readonly environment: string
  /** Id of the data directory that looks after them. */
  readonly owner: () => Promise<string>
  readonly images: Images
  readonly files: SwarmFiles
  readonly failures: Failures
  readonly look: Look
}

function scale(door: DockerDoor, { id, replicas }: { readonly id: string; readonly replicas: number }) {
  return changeGroup(door, id, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: replicas } } }))
}

async function remove(door: DockerDoor, id: string): Promise<void> {
  try {
    await door.ask(unread, (docker) => docker.getService(id).remove())
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}

/** Whether a group was started meanwhile, by a call of ours whose answer was lost or is still to come. */
async function isThere(door: DockerDoor, environment: string, { hash }: Group): Promise<boolean> {
  return (await listGroups(door, environment)).some((one) => one.group === hash)
}

interface Wanted {
  readonly group: Group
  readonly specification: Specification
  readonly owner: string
}

function unplaced(service: string, because: string, hint: string): HoldfastError {
  const message = `${service} has no node to run on: ${because}`
  return new HoldfastError({ code: 'swarm.no-node', kind: 'user', message, hint })
}

/** The node that a group is bound to; null: none. What goes by its id, or lies in a volume, is on no other node. */
async function nodeFor(
  { service, node: named, mounts }: Specification,
  image: string,
  look: Look,
): Promise<string | null> {
  const isHere = image.startsWith(imageId)
  const here = async (): Promise<string> => (await look.place()).node
  if (named === undefined) return isHere || mounts !== undefined ? here() : null
  const node = findNode(named, (await look()).nodes)
  if ('because' in node) throw unplaced(service, node.because, 'see docker node ls')
  if (isHere && node.id !== (await here())) {
    const because = `it is bound to ${named}, and its image was made here and is nowhere else`
    throw unplaced(service, because, 'let its image come from a registry')
  }
  return node.id
}

/** Of an image that goes by its id. */
const imageId = 'sha256:'

/** What is shown as replicas that are left down, and tried again. */
const refusals: ReadonlySet<string> = new Set(['swarm.refused', 'swarm.build-failed', 'swarm.no-node'])

/** Starts a group, if its image is there. What Docker refuses is shown and tried again; a daemon that is away is an error. */
async function create(
  { door, environment, images, files: shelf, failures, look }: RunGround,
  { group, specification, owner }: Wanted,
) {
  if (failures.has(group)) return
  try {
    const image = await images.of(specification)
    if (image === null) return
    // What goes by its id, or lies in a volume, is on no other node.
    const node = await nodeFor(specification, image, look)
    const files = await shelf.ensure(specification)
    const body = serviceSpecOf(group, specification, { environment, owner, image, files, node })
    const auth = image.startsWith(imageId) ? undefined : await registryAuthFor(door, image)
    await door.ask(unread, (docker) =>
      auth === undefined ? docker.createService(body as never) : docker.createService(auth, body as never),
    )
  } catch (error) {
    if (!(error instanceof HoldfastError && refusals.has(error.code))) throw error
    if (!(statusOf(error) === 409 && (await isThere(door, environment, group)))) failures.add(group, error)
  }
}

/** Makes exactly these groups run, of this environment. */
export async function runGroups(ground: RunGround, groups: readonly Group[]): Promise<void> {
  const { door, environment, failures, files } = ground
  const owner = await ground.owner()
  failures.keep(groups)
  const plan = planServices(groups, await ownGroups(door, { environment, id: owner }))
  await Promise.all(plan.create.map((wanted) => create(ground, { ...wanted, owner })))
  await Promise.all(plan.scale.map((wanted) => scale(door, wanted)))
  await Promise.all(plan.remove.map((id) => remove(door, id)))
  const left = await listGroups(door, environment)
  await files.keep(
    groups,
    left.flatMap((one) => one.files),
  )
}
