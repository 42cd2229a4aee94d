import type { VolumeStore } from '../../capabilities/environment/ports.ts'
import type { Clock } from '../../kernel/std/index.ts'
import { volumeNameOf } from './decide/service-spec.ts'
import { statusOf, unread, type DockerDoor } from './docker/docker-door.ts'

const mostTries = 60
const pauseMs = 500

/**
 * Volumes of Docker, each on the node where its service first ran; what is said of directories is said of those in
 * containers. Docker makes one when it is first mounted. Errors of `remove`: those of the door.
 */
export function swarmVolumes(door: DockerDoor, environment: string, clock: Clock): VolumeStore {
  return {
    directoryOf: (volume) => `/volumes/${volume}`,
    ensure: () => Promise.resolve(),
    remove: async (volume) => {
      const name = volumeNameOf(environment, volume)
      for (let tries = 1; ; tries++) {
        try {
          await door.ask(unread, (docker) => docker.getVolume(name).remove())
          return
        } catch (error) {
          if (statusOf(error) === 404) return
          // A container goes a moment later than what Swarm says of it.
          if (statusOf(error) !== 409 || tries >= mostTries) throw error
          await clock.sleep(pauseMs)
        }
      }
    },
  }
}
