import type { FoundImage } from '../../../capabilities/environment/ports.ts'
import { distributionShape, imageShape } from '../../../contracts/docker/swarm.ts'
import { HoldfastError, plainError } from '../../../kernel/std/index.ts'
import { statusOf, type DockerDoor } from '../docker/docker-door.ts'
import { registryAuthFor } from './registry-auth.ts'

const algorithm = 'sha256:'
/** Wider than the distribution's grammar of references, and nothing that means something else in a path. */
const nameShape = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/

const withoutDigest = (name: string): string => name.split('@')[0] ?? name

/** `web:1.4.2` and `host:5000/web:1.4.2` without what is behind the last colon of the last part. */
const repositoryOf = (name: string): string => withoutDigest(name).replace(/:[^:/]+$/, '')

function noImage(name: string, because: string): HoldfastError {
  return new HoldfastError({
    code: 'swarm.no-image',
    kind: 'user',
    message: `there is no image ${name}, here or where its name points: ${because}`,
    hint: 'see its name; who has to sign in there does so with docker login, as the user that control runs as',
  })
}

const pinned = (name: string, digest: string, sizeBytes: number): FoundImage => ({
  name,
  image: `${withoutDigest(name)}@${digest}`,
  digest: digest.slice(algorithm.length),
  sizeBytes,
})

/** As its registry says; or why it does not. */
async function askRegistry(door: DockerDoor, name: string): Promise<FoundImage | HoldfastError> {
  try {
    const authconfig = await registryAuthFor(door, name)
    const { Descriptor: found } = await door.ask(distributionShape, (docker) =>
      docker.getImage(name).distribution(authconfig === undefined ? {} : { authconfig }),
    )
    return pinned(name, found.digest, 0)
  } catch (error) {
    const { message } = plainError(error)
    return noImage(name, message)
  }
}

/** As this node has it: by the digest that its registry had for it, else by its id, by which no registry is asked. */
async function askNode(door: DockerDoor, name: string): Promise<FoundImage | null> {
  try {
    const { Id, RepoDigests, Size } = await door.ask(imageShape, (docker) => docker.getImage(name).inspect())
    const known = RepoDigests.find((one) => withoutDigest(one) === repositoryOf(name))
    if (known !== undefined) return pinned(name, known.slice(known.indexOf('@') + 1), Size)
    return { name, image: Id, digest: Id.slice(algorithm.length), sizeBytes: Size }
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}

/** Finds what a name means now; pulls nothing. Errors: `swarm.no-image`, `swarm.unreachable`. */
export async function findImage(door: DockerDoor, name: string): Promise<FoundImage> {
  if (!nameShape.test(name) || name.includes('..')) throw noImage(name, 'that is no name of an image')
  const said = name.startsWith(algorithm) ? noImage(name, 'no node has it') : await askRegistry(door, name)
  if (!(said instanceof HoldfastError)) return said
  const found = await askNode(door, name)
  if (found === null) throw said
  return found
}
