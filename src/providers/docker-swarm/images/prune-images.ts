import { imagesShape, labels, type MadeImage } from '../../../contracts/docker/swarm.ts'
import { statusOf, unread, type DockerDoor } from '../docker/docker-door.ts'
import { listGroups } from '../ownership.ts'

/** Images that were made here for an environment. */
async function imagesWith(door: DockerDoor, filters: object): Promise<readonly MadeImage[]> {
  return door.ask(imagesShape, (docker) => docker.listImages({ filters: JSON.stringify(filters) }))
}

/** What Docker itself does not let go, because a container of it is there, is let go the next time. */
async function removeImage(door: DockerDoor, { id, names }: MadeImage): Promise<void> {
  for (const name of names.length === 0 ? [id] : names) {
    try {
      await door.ask(unread, (docker) => docker.getImage(name).remove())
    } catch (error) {
      if (![404, 409].includes(statusOf(error) ?? 0)) throw error
    }
  }
}

async function removeUnused(
  door: DockerDoor,
  environment: string,
  images: readonly MadeImage[],
): Promise<void> {
  const used = new Set((await listGroups(door, environment)).map(({ image }) => image))
  const isUsed = ({ id, digests }: MadeImage): boolean => used.has(id) || digests.some((one) => used.has(one))
  for (const image of images) if (!isUsed(image)) await removeImage(door, image)
}

/** Removes the images that were made out of a directory, but for those that services use. Errors: those of the door. */
export async function forgetImages(door: DockerDoor, environment: string, directory: string): Promise<void> {
  const label = [`${labels.environment}=${environment}`, `${labels.directory}=${directory}`]
  await removeUnused(door, environment, await imagesWith(door, { label }))
}

/** Removes those that a later one has taken the name of, as when files as they lie were built anew. Errors: those of the door. */
export async function forgetOutdated(door: DockerDoor, environment: string): Promise<void> {
  const label = [`${labels.environment}=${environment}`]
  await removeUnused(door, environment, await imagesWith(door, { label, dangling: ['true'] }))
}
