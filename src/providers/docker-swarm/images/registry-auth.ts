import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { indexShape } from '../../../contracts/docker/swarm.ts'
import type { DockerDoor } from '../docker/docker-door.ts'

/** Who asks a registry, as Docker's API wants it. */
export interface RegistryAuth {
  readonly username: string
  readonly password: string
  readonly serveraddress: string
}

/**
 * The registry that an image's name points to, as the distribution's reference grammar has it: its host, or `index`, the
 * address of the one that Docker asks when a name has no host.
 */
export function registryOf(name: string, index: string): string {
  const [first = '', ...rest] = name.split('/')
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const isIndex = `.${URL.parse(index)?.hostname ?? ''}`.endsWith(`.${first}`)
  return isHost && !isIndex ? first : index
}

function readAuth(text: string, registry: string): RegistryAuth | undefined {
  const { auths } = JSON.parse(text) as { auths?: Record<string, { auth?: unknown }> }
  const found = auths?.[registry]?.auth ?? auths?.[`https://${registry}`]?.auth
  if (typeof found !== 'string') return undefined
  const [username = '', ...password] = Buffer.from(found, 'base64').toString('utf8').split(':')
  return { username, password: password.join(':'), serveraddress: registry }
}

/**
 * What `docker login` has left for the registry of an image, in the directory that DOCKER_CONFIG names or in ~/.docker; undefined:
 * nothing that could be read. Helpers that keep it elsewhere are not asked. Never throws.
 */
export async function registryAuthFor(door: DockerDoor, name: string): Promise<RegistryAuth | undefined> {
  const directory = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker')
  try {
    const text = await readFile(join(directory, 'config.json'), 'utf8')
    return readAuth(text, registryOf(name, await door.ask(indexShape, (docker) => docker.info())))
  } catch {
    return undefined
  }
}
