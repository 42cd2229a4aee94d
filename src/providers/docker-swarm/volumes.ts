import type { VolumeStore } from '../../capabilities/environment/ports.ts'
import { volumeNameOf } from './decide/service-spec.ts'
import { statusOf, unread, type DockerDoor } from './docker/docker-door.ts'

/**
 * Volumes of Docker, each on the node where its service first ran; what is said of directories is said of those in
 * containers. Docker makes one when it is first mounted. Errors of `remove`: those of the door.
 */
export function swarmVolumes(door: DockerDoor, environment: string): VolumeStore {
  return {
    directoryOf: (volume) => `/volumes/${volume}`,
    ensure: () => Promise.resolve(),
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
