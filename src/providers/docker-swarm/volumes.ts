import type { VolumeStore } from '../../capabilities/environment/ports.ts'
import { volumesShape } from '../../contracts/docker/swarm.ts'
import { volumeNameOf } from './decide/service-spec.ts'
import { findNode } from './decide/find-node.ts'
import { ownGroups, type Owner } from './ownership.ts'
import type { Look } from './docker/look.ts'
import { statusOf, unread, type DockerDoor } from './docker/docker-door.ts'

/** Whose volumes they are, and where they are asked for. */
interface VolumeGround {
  readonly door: DockerDoor
  readonly look: Look
  readonly environment: string
}

/**
 * Volumes of Docker, each on the node that the file names, else on the manager's; what is said of directories is said of
 * those in containers. Docker makes one when it is first mounted, and lists and removes those of this node alone. They are
 * listed without sizes: Docker would walk through every volume that it has. Errors: those of the door.
 */
export function swarmVolumes(
  { door, look, environment }: VolumeGround,
  whose: () => Promise<Owner>,
): VolumeStore {
  return {
    directoryOf: (volume) => `/volumes/${volume}`,
    placeOf: (volume) => volumeNameOf(environment, volume),
    ensure: () => Promise.resolve(false),
    list: async () => {
      const found = await door.ask(volumesShape, (docker) => docker.listVolumes())
      // No name of an environment or a volume has an underscore in it.
      const prefix = volumeNameOf(environment, '')
      return found
        .filter(({ name }) => name.startsWith(prefix))
        .map(({ name, since }) => ({ name: name.slice(prefix.length), place: name, sizeBytes: null, since }))
        .toSorted((one, other) => one.name.localeCompare(other.name))
    },
    remove: async (volume) => {
      await ownGroups(door, await whose())
      const name = volumeNameOf(environment, volume)
      try {
        await door.ask(unread, (docker) => docker.getVolume(name).remove())
      } catch (error) {
        if (statusOf(error) !== 404) throw error
      }
    },
    whyKept: async (volume, named) => {
      const [{ nodes }, { node: here }] = await Promise.all([look(), look.place()])
      const node = findNode(named, nodes)
      if (!('because' in node) && node.id === here) return null
      const name = volumeNameOf(environment, volume)
      return `they lie on node ${named}, where Docker removes them only itself: docker volume rm ${name}`
    },
  }
}
