import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { releaseRecord } from '../../contracts/environment/deploys.ts'
import type {
  FoundImage,
  Release,
  ReleaseSource,
  ReleaseStore,
} from '../../capabilities/environment/ports.ts'
import { HoldfastError, systemCode, type Clock } from '../../kernel/std/index.ts'
import { digestTree } from './digest-tree.ts'
import { fetchInto } from './fetch-into.ts'
import { lookAtRelease, type KnownDigests, type ReleaseLook } from './look-at-release.ts'
import { settleModes } from './settle-modes.ts'

/** Where releases lie. */
export interface ReleaseFilesParts {
  /** Absolute; made when the first release comes. */
  readonly directory: string
  readonly clock: Clock
}

/** Releases, and whether they are what was stored. */
export interface ReleaseFiles extends ReleaseStore {
  /** Compares the files of a release with its record; see `lookAtRelease`. One without a record is gone. */
  look(service: string, release: string, signal: AbortSignal): Promise<ReleaseLook>
}

/** Services that run as users of their own pass through, and see only what they know the name of. */
const passageMode = 0o711

function saySource(source: ReleaseSource): string {
  return source.kind === 'git' ? `git ${source.ref} of ${source.path}` : `${source.kind} ${source.path}`
}

function exists(service: string, release: string, what: 'files' | 'image'): HoldfastError {
  return new HoldfastError({
    code: 'environment.release-exists',
    kind: 'user',
    message: `release ${release} of ${service} is there already, with ${what === 'files' ? 'other files' : 'something else in it'}`,
    hint: `a release never changes: give the new ${what} another version`,
  })
}

/** What is kept of a release that is an image. */
async function keepImage(
  place: { readonly directory: string; readonly release: string },
  { name, image, digest, sizeBytes }: FoundImage,
  clock: Clock,
): Promise<Release> {
  const { directory, release } = place
  const apart = join(directory, `.${release}.new`)
  await rm(apart, { recursive: true, force: true })
  await mkdir(apart, { recursive: true })
  const made = { release, at: clock.now(), source: `image ${name}`, digest, files: 0, sizeBytes, image }
  await writeFile(join(apart, 'release.json'), JSON.stringify(made), { mode: 0o644 })
  await rm(join(directory, release), { recursive: true, force: true })
  await rename(apart, join(directory, release))
  return made
}

/** Names in a directory; in one that is not there are none. Errors: the system's. */
async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
}

/** What is still to come, or is going: no release has such a name. */
const isApart = (name: string): boolean => name.startsWith('.')

/** Removes a release: it is none from one moment on, whoever is killed meanwhile. */
async function removeRelease(directory: string, release: string): Promise<void> {
  const gone = join(directory, `.${release}.gone`)
  await rm(gone, { recursive: true, force: true })
  try {
    await rename(join(directory, release), gone)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  await rm(gone, { recursive: true, force: true })
}

/** Removes what was apart when somebody was killed. */
async function tidy(directory: string): Promise<void> {
  for (const name of (await namesIn(directory)).filter(isApart))
    await rm(join(directory, name), { recursive: true, force: true })
}

interface Making {
  readonly source: ReleaseSource
  readonly signal: AbortSignal
}

/** Makes a release apart from its place: where it is, and what it is. */
async function makeRelease(
  { directory, clock }: ReleaseFilesParts,
  { service, release }: { readonly service: string; readonly release: string },
  { source, signal }: Making,
): Promise<{ readonly apart: string; readonly made: Release }> {
  const apart = join(directory, service, `.${release}.new`)
  await rm(apart, { recursive: true, force: true })
  await mkdir(join(apart, 'files'), { recursive: true })
  for (const passage of [directory, join(directory, service), apart]) await chmod(passage, passageMode)
  await fetchInto(join(apart, 'files'), source, { avoid: directory, signal })
  await settleModes(join(apart, 'files'), signal)
  const counted = await digestTree(join(apart, 'files'), signal)
  const made = { release, at: clock.now(), source: saySource(source), ...counted, image: null }
  await writeFile(join(apart, 'release.json'), JSON.stringify(made), { mode: 0o644 })
  return { apart, made }
}

/**
 * Releases as directories: `<directory>/<service>/<release>/files` with `release.json` beside it. A release is made apart
 * and moved to its place in one step, so that one whose making was interrupted is none. One that is an image has no files.
 */
export function releaseFiles(parts: ReleaseFilesParts): ReleaseFiles {
  const { directory, clock } = parts
  const known: KnownDigests = new Map()
  const placeOf = (service: string, release: string): string => join(directory, service, release)

  const read = async (service: string, release: string): Promise<Release | null> => {
    try {
      const text = await readFile(join(placeOf(service, release), 'release.json'), 'utf8')
      return releaseRecord.parse(JSON.parse(text))
    } catch {
      return null
    }
  }

  return {
    add: async (place, source, signal) => {
      const { apart, made } = await makeRelease(parts, place, { source, signal })
      const there = await read(place.service, place.release)
      if (there === null) {
        await rm(placeOf(place.service, place.release), { recursive: true, force: true })
        await rename(apart, placeOf(place.service, place.release))
        return made
      }
      await rm(apart, { recursive: true, force: true })
      if (there.digest !== made.digest) throw exists(place.service, place.release, 'files')
      return there
    },
    addImage: async ({ service, release }, found) => {
      const there = await read(service, release)
      if (there === null) return keepImage({ directory: join(directory, service), release }, found, clock)
      if (there.digest !== found.digest) throw exists(service, release, 'image')
      return there
    },
    list: async (service) => {
      const names = await namesIn(join(directory, service))
      const found = await Promise.all(names.map((name) => read(service, name)))
      return found.filter((one) => one !== null).toSorted((a, b) => b.at - a.at)
    },
    look: async (service, release, signal) => {
      const record = await read(service, release)
      if (record === null) return { state: 'gone' }
      return lookAtRelease(join(placeOf(service, release), 'files'), record, { known, signal })
    },
    directoryOf: (service, release) => join(placeOf(service, release), 'files'),
    remove: (service, release) => removeRelease(join(directory, service), release),
    tidy: (service) => tidy(join(directory, service)),
  }
}
