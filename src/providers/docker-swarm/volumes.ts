import type { VolumeStore } from '../../capabilities/environment/ports.ts'
import { volumesShape } from '../../contracts/docker/swarm.ts'
import { volumeNameOf } from './decide/service-spec.ts'
import { statusOf, unread, type DockerDoor } from './docker/docker-door.ts'

/**
 * Volumes of Docker, each on the node where its service first ran; what is said of directories is said of those in
 * containers. Docker makes one when it is first mounted. Those of this machine are listed, without sizes: Docker would
 * walk through every volume that it has. Errors of `list` and `remove`: those of the door.
 */
export function swarmVolumes(door: DockerDoor, environment: string): VolumeStore {
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
      const name = volumeNameOf(environment, volume)
      try {
        await door.ask(unread, (docker) => docker.getVolume(name).remove())
      } catch (error) {
        if (statusOf(error) !== 404) throw error
      }
    },
  }
}
