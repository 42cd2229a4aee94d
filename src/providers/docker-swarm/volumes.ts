import type { VolumeStore } from '../../capabilities/environment/ports.ts'
import { volumeNameOf } from './decide/service-spec.ts'
import { findNode } from './decide/find-node.ts'
import { ownGroups, type Owner } from './ownership.ts'
import type { Look } from './docker/look.ts'
import { statusOf, unread, type DockerDoor } from './docker/docker-door.ts'

/**
 * Volumes of Docker, each on the node that the file names, else on the manager's; what is said of directories is said of
 * those in containers. Docker makes one when it is first mounted, and removes those of this node alone. Errors: those of the
 * door.
 */
export function swarmVolumes(door: DockerDoor, look: Look, whose: () => Promise<Owner>): VolumeStore {
  return {
    directoryOf: (volume) => `/volumes/${volume}`,
    ensure: () => Promise.resolve(),
    remove: async (volume) => {
      const owner = await whose()
      await ownGroups(door, owner)
      const name = volumeNameOf(owner.environment, volume)
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
      const name = volumeNameOf((await whose()).environment, volume)
      return `they lie on node ${named}, where Docker removes them only itself: docker volume rm ${name}`
    },
  }
}
