import type { Group } from '../../capabilities/environment/ports.ts'
import { createdShape, filesShape, labels } from '../../contracts/docker/swarm.ts'
import type { Specification } from '../../contracts/supervisor.ts'
import { handedFilesOf, type FileKind, type HandedFile, type KnownFile } from './decide/handed-files.ts'
import { statusOf, unread, type DockerDoor } from './docker/docker-door.ts'
import { filterOf } from './docker/look.ts'

/** The files that replicas are handed, as configs and secrets of Docker. */
export interface SwarmFiles {
  /** Makes those that are not there. Errors: those of the door. */
  ensure(specification: Specification): Promise<readonly KnownFile[]>
  /** Removes what neither these groups nor these services use; what is used elsewhere stays, for Docker refuses. */
  keep(groups: readonly Group[], used: readonly string[]): Promise<void>
}

const kinds: readonly FileKind[] = ['config', 'secret']

interface There {
  readonly id: string
  readonly name: string
  readonly kind: FileKind
}

/** Creates the keeper of an environment's files; it remembers nothing, Docker does. */
export function swarmFiles(door: DockerDoor, environment: string): SwarmFiles {
  const listed = async (kind: FileKind): Promise<readonly There[]> => {
    const filters = filterOf(environment)
    const all = await door.ask(filesShape, (docker) =>
      kind === 'config' ? docker.listConfigs({ filters }) : docker.listSecrets({ filters }),
    )
    return all.filter((one) => one.environment === environment).map(({ id, name }) => ({ id, name, kind }))
  }
  const create = async ({ kind, dockerName, content }: HandedFile): Promise<string | null> => {
    const body = { Name: dockerName, Labels: { [labels.environment]: environment }, Data: content }
    try {
      return await door.ask(createdShape, (docker) =>
        kind === 'config' ? docker.createConfig(body) : docker.createSecret(body),
      )
    } catch (error) {
      // Somebody was faster; names follow from contents.
      if (statusOf(error) === 409) return null
      throw error
    }
  }
  const ensureOne = async (file: HandedFile): Promise<KnownFile> => {
    const { content: _content, ...known } = file
    const find = async (): Promise<string | undefined> =>
      (await listed(file.kind)).find(({ name }) => name === file.dockerName)?.id
    const id = (await find()) ?? (await create(file)) ?? (await find())
    return { ...known, id: id ?? '' }
  }
  const remove = async ({ id, kind }: There): Promise<void> => {
    try {
      await door.ask(unread, (docker) =>
        kind === 'config' ? docker.getConfig(id).remove() : docker.getSecret(id).remove(),
      )
    } catch (error) {
      // Gone, or in use: the next time will tell.
      if (![400, 404, 409].includes(statusOf(error) ?? 0)) throw error
    }
  }
  return {
    ensure: async (specification) => {
      const known: KnownFile[] = []
      for (const file of handedFilesOf(environment, specification)) known.push(await ensureOne(file))
      return known
    },
    keep: async (groups, used) => {
      const asked = groups.flatMap(({ specification }) =>
        specification === null ? [] : handedFilesOf(environment, specification),
      )
      const names = new Set(asked.map(({ dockerName }) => dockerName))
      const there = (await Promise.all(kinds.map(listed))).flat()
      const idle = there.filter(({ id, name }) => !names.has(name) && !used.includes(id))
      await Promise.all(idle.map(remove))
    },
  }
}
