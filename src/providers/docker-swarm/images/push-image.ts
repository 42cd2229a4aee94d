import type { DockerDoor } from '../docker/docker-door.ts'
import { dockerLines } from './docker-lines.ts'
import { registryAuthFor } from './registry-auth.ts'

/** What is pushed, and where to. */
export interface Pushing {
  /** Of the image. */
  readonly id: string
  /** As registry.example/web. */
  readonly repository: string
  readonly tag: string
}

/** Reads what is said in the course of a push, to its end: the digest. Throws what the registry says. */
async function readDigest(stream: NodeJS.ReadableStream): Promise<string> {
  let digest = ''
  for await (const { error, aux } of dockerLines(stream)) {
    if (error !== undefined) throw new Error(`it could not be pushed: ${error}`)
    digest = aux?.Digest ?? digest
  }
  if (digest === '') throw new Error('it could not be pushed: its registry said nothing of it')
  return digest
}

/** Pushes an image; answers with the name by which any node gets this one. Throws what the registry says; errors of the door. */
export async function pushImage(door: DockerDoor, { id, repository, tag }: Pushing): Promise<string> {
  const authconfig = await registryAuthFor(door, repository)
  const stream = await door.askPatiently(async (docker) => {
    await docker.getImage(id).tag({ repo: repository, tag })
    return docker.getImage(repository).push({ tag, ...(authconfig === undefined ? {} : { authconfig }) })
  })
  return `${repository}@${await readDigest(stream)}`
}
