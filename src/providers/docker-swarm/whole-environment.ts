import type Docker from 'dockerode'
import { labelledShape, labels } from '../../contracts/docker/swarm.ts'
import { HoldfastError, type Clock } from '../../kernel/std/index.ts'
import { dockerDoor, statusOf, unread, type DockerDoor } from './docker/docker-door.ts'
import { filterOf } from './docker/look.ts'

/** Everything of one environment on a swarm, whoever made it. */
export interface WholeEnvironment {
  /** What bears its label, as "service drill_web_1f2e3d4c". Errors: those of the door. */
  list(): Promise<readonly string[]>
  /**
   * Removes what bears its label, volumes with their data included, until nothing is left; what is on other nodes is
   * left to Swarm. Errors: those of the door, `swarm.refused` when something does not go within a minute.
   */
  remove(): Promise<void>
}

interface Kind {
  readonly name: string
  readonly list: (docker: Docker, filters: ReturnType<typeof filterOf>) => Promise<unknown>
  readonly remove: (docker: Docker, id: string) => Promise<unknown>
}

/** In the order in which they use one another. */
const kinds: readonly Kind[] = [
  {
    name: 'service',
    list: (docker, filters) => docker.listServices({ filters }),
    remove: (docker, id) => docker.getService(id).remove(),
  },
  {
    name: 'container',
    list: (docker, filters) => docker.listContainers({ all: true, filters }),
    remove: (docker, id) => docker.getContainer(id).remove({ force: true, v: true }),
  },
  {
    name: 'config',
    list: (docker, filters) => docker.listConfigs({ filters }),
    remove: (docker, id) => docker.getConfig(id).remove(),
  },
  {
    name: 'secret',
    list: (docker, filters) => docker.listSecrets({ filters }),
    remove: (docker, id) => docker.getSecret(id).remove(),
  },
  {
    name: 'volume',
    list: async (docker, filters) => (await docker.listVolumes({ filters: filters as never })).Volumes,
    remove: (docker, id) => docker.getVolume(id).remove(),
  },
  {
    name: 'image',
    list: (docker, filters) => docker.listImages({ filters }),
    remove: (docker, id) => docker.getImage(id).remove({ force: true }),
  },
]

const pollMs = 250
const mostMs = 60_000
/** It is gone already, or something that is about to go still uses it (Docker says 400 of configs). */
const passing: ReadonlySet<number | undefined> = new Set([400, 404, 409])

async function removeOne(door: DockerDoor, { remove }: Kind, id: string): Promise<void> {
  try {
    await door.ask(unread, (docker) => remove(docker, id))
  } catch (error) {
    if (!passing.has(statusOf(error))) throw error
  }
}

/** Creates the view of a whole environment; `engine` as the file has it, "unix:///var/run/docker.sock". */
export function wholeEnvironment(engine: string, environment: string, clock: Clock): WholeEnvironment {
  const door = dockerDoor(engine.slice('unix://'.length))
  const find = async (): Promise<readonly { kind: Kind; id: string; name: string }[]> => {
    const all = await Promise.all(
      kinds.map(async (kind) => {
        const found = await door.ask(labelledShape, (docker) => kind.list(docker, filterOf(environment)))
        return found.map((one) => ({ kind, ...one }))
      }),
    )
    return all.flat()
  }
  return {
    list: async () => (await find()).map(({ kind, name }) => `${kind.name} ${name}`),
    remove: async () => {
      const deadlineMs = clock.monotonicMs() + mostMs
      // What was asked for by somebody who is dead by now may still be made: seen twice, nothing is there.
      for (let emptyLooks = 0; ;) {
        const left = await find()
        emptyLooks = left.length === 0 ? emptyLooks + 1 : 0
        if (emptyLooks === 2) return
        for (const { kind, id } of left) await removeOne(door, kind, id)
        if (clock.monotonicMs() > deadlineMs) throw stuck(left)
        await clock.sleep(pollMs)
      }
    },
  }
}

function stuck(left: readonly { readonly kind: Kind; readonly name: string }[]): HoldfastError {
  const names = left.map(({ kind, name }) => `${kind.name} ${name}`).join(', ')
  return new HoldfastError({
    code: 'swarm.refused',
    kind: 'operational',
    message: `Docker does not let go of ${names}`,
    hint: `docker ps --all --filter label=${labels.environment} says who uses it`,
  })
}
