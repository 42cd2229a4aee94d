import type { Specification } from '../../../contracts/supervisor.ts'
import { contentHash, HoldfastError, plainError } from '../../../kernel/std/index.ts'
import { packContext } from './context.ts'
import { statusOf, type DockerDoor } from '../docker/docker-door.ts'
import { dockerLines } from './docker-lines.ts'
import { forgetOutdated } from './prune-images.ts'
import { pushImage } from './push-image.ts'
import { labels } from '../../../contracts/docker/swarm.ts'
import { shortHash } from '../decide/service-spec.ts'
import { imageShape } from '../../../contracts/docker/swarm.ts'

/** Makes images. */
export interface Images {
  /**
   * What an image is asked for by; null: it is being made, ask again. One that was made here has its id, for by a name a node
   * might ask a registry for it; one that was pushed has its digest there. A service and its jobs share one. Errors: `swarm.build-failed` once, then it is made anew.
   */
  of(specification: Specification): Promise<string | null>
  /** What is being made, in words. */
  notes(): readonly string[]
}

type Build =
  | { readonly kind: 'running'; readonly says: string }
  | { readonly kind: 'done'; readonly image: string }
  | { readonly kind: 'failed'; readonly error: unknown }

const lastLines = 5

function failed(service: string, because: string): HoldfastError {
  return new HoldfastError({
    code: 'swarm.build-failed',
    kind: 'operational',
    message: `the image of ${service} could not be made: ${because}`,
    hint: 'docker build in its directory says the same',
  })
}

/** Reads what a build says, to its end; the id of the image. */
async function readBuild(stream: NodeJS.ReadableStream, service: string): Promise<string> {
  const said: string[] = []
  let id = ''
  for await (const { stream: says, error, aux } of dockerLines(stream)) {
    if (says.trim() !== '') said.push(says.trim())
    if (error !== undefined) throw failed(service, [...said.slice(-lastLines), error].join(' | '))
    id = aux?.ID ?? id
  }
  if (id === '') throw failed(service, said.slice(-lastLines).join(' | ') || 'Docker said nothing')
  return id
}

interface Making {
  readonly environment: string
  readonly specification: Specification
  readonly build: NonNullable<Specification['build']>
  readonly tag: string
}

/** Makes one image; its id. Errors: `swarm.build-failed`, those of the door. */
async function makeImage(
  door: DockerDoor,
  { environment, specification, build, tag }: Making,
): Promise<string> {
  const { service, release, directory } = specification
  const { archive, dockerfile } = await packContext(directory, build)
  const unreadable = new AbortController()
  archive.on('error', (error) => unreadable.abort(error))
  const marks = {
    [labels.environment]: environment,
    [labels.release]: release,
    [labels.directory]: directory,
  }
  try {
    const options = { t: tag, dockerfile, labels: marks, rm: true, forcerm: true }
    const stream = await door.askPatiently((docker) =>
      docker.buildImage(archive, { ...options, abortSignal: unreadable.signal }),
    )
    const id = await readBuild(stream, service)
    if (build.push === undefined) return id
    return await pushImage(door, { id, repository: build.push, tag: tag.slice(tag.indexOf(':') + 1) })
  } catch (error) {
    const reason: unknown = unreadable.signal.aborted ? unreadable.signal.reason : error
    throw reason instanceof HoldfastError ? reason : failed(service, plainError(reason).message)
  } finally {
    archive.destroy()
  }
}

/** Creates a maker of images; what it has made it forgets with the process, Docker does not. */
export function imagesOf(door: DockerDoor, environment: string): Images {
  const builds = new Map<string, Build>()

  /** An image that was made of a release does not change; files as they lie may have. */
  const kept = async ({ release, build }: Specification, tag: string): Promise<string | null> => {
    if (release === '') return null
    try {
      const { Id, RepoDigests } = await door.ask(imageShape, (docker) => docker.getImage(tag).inspect())
      if (build?.push === undefined) return Id
      return RepoDigests.find((name) => name.startsWith(`${build.push}@`)) ?? null
    } catch (error) {
      if (statusOf(error) === 404) return null
      throw error
    }
  }

  let forgetting: Promise<void> = Promise.resolve()
  const isMaking = (): boolean => [...builds.values()].some(({ kind }) => kind === 'running')

  const begin = (specification: Specification, build: NonNullable<Specification['build']>, tag: string) => {
    // Somebody else may have asked at the same time.
    if (builds.has(tag)) return
    builds.set(tag, { kind: 'running', says: `the image of ${specification.service} is being made` })
    const making = forgetting.then(() => makeImage(door, { environment, specification, build, tag }))
    void making.then(
      (image) => {
        builds.set(tag, { kind: 'done', image })
        // One that is made has no name at first, as if it were outdated. It does no harm if an outdated one stays.
        if (!isMaking()) forgetting = forgetOutdated(door, environment).catch(() => undefined)
      },
      (error: unknown) => builds.set(tag, { kind: 'failed', error }),
    )
  }

  return {
    of: async (specification) => {
      const { image = null, build } = specification
      if (build === undefined) return image
      const { directory, release } = specification
      const tag = `holdfast/${environment}:${shortHash(contentHash({ directory, release, build: { ...build } }))}`
      const made = builds.get(tag)
      if (made?.kind === 'running') return null
      builds.delete(tag)
      if (made?.kind === 'done') return made.image
      if (made?.kind === 'failed') throw made.error
      const id = await kept(specification, tag)
      if (id === null) begin(specification, build, tag)
      return id
    },
    notes: () => [...builds.values()].flatMap((build) => (build.kind === 'running' ? [build.says] : [])),
  }
}
