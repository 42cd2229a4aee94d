import { cp, mkdir, open, statfs, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { HoldfastError, randomToken, type Random } from '../../kernel/std/index.ts'
import {
  loadEnvironment,
  parseEnvironment,
  runsContainers,
  type EnvironmentInput,
  type LoadedEnvironment,
} from '../composition/index.ts'
import { findFreePort } from '../supervisor/index.ts'
import type { BuildRequest } from './config.ts'
import { findIsolation, type Isolation } from './isolation.ts'
import type { Place } from './place.ts'
import { refuseWithoutRoom } from './room-for.ts'
import { fixedPorts, sandboxFile } from './sandbox-file.ts'

/** What a second environment is made from. */
export interface Ground {
  /** The environment that is to be there a second time. */
  readonly loaded: LoadedEnvironment
  /** The first one's, absolute. */
  readonly dataDirectory: string
  /** Directory of the release that each service runs, where one was deployed. */
  readonly releases: Readonly<Record<string, string>>
  /** The shell's variables, of which only harmless ones are handed on. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly random: Random
}

/** What is wished of it. */
export interface Wish {
  readonly into: string
  /** How long it goes on running once it serves, milliseconds; null: not at all. */
  readonly keepMs: number | null
  /** Another environment file, beside the one of `loaded`. */
  readonly from?: string | undefined
}

/** A second environment that has only to be started. */
export interface Prepared {
  readonly isolation: Isolation
  /** The whole environment of the builder. */
  readonly variables: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

/** Containers are made by an engine outside, whose door no wall of ours closes. */
function refuseContainers({ environment }: LoadedEnvironment): void {
  if (!runsContainers(environment)) return
  throw new HoldfastError({
    code: 'environment.rebuild-refused',
    kind: 'user',
    message: 'it runs containers, which could not be kept apart from those of the first environment',
    path: 'engine',
    hint: 'rebuild a file with the engine "local"',
  })
}

/**
 * Reads the file that is to be built; what was accepted is read already.
 * Errors: those of `loadEnvironment`, `environment.rebuild-refused` (it runs containers).
 */
export async function readFileOf({ loaded }: Ground, { from }: Wish): Promise<LoadedEnvironment> {
  const read = from === undefined ? loaded : await loadEnvironment(resolve(loaded.directory, from))
  refuseContainers(read)
  return read
}

/** Refuses what this machine has no room for. Errors: `environment.rebuild-no-room`. */
export async function refuseWhenFull(loaded: LoadedEnvironment, { directory }: Place): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  refuseWithoutRoom(loaded.environment, {
    memoryBytes: process.availableMemory(),
    diskBytes: bavail * bsize,
  })
}

/** What programs need to run at all, and no more. */
const harmless = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const

function harmlessVariables(variables: Ground['variables']): Record<string, string> {
  return Object.fromEntries(
    harmless.flatMap((name) => {
      const value = variables[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
}

async function ownPorts(into: string, count: number): Promise<readonly number[]> {
  const found = new Set<number>()
  for (let index = 0; index < count; index++) {
    const port = await findFreePort(`${into}/${index}`, found)
    if (port !== undefined) found.add(port)
  }
  return [...found]
}

async function copyReleases({ releases }: Ground, place: Place): Promise<Record<string, string>> {
  const copied: Record<string, string> = {}
  for (const [service, from] of Object.entries(releases)) {
    const to = join(place.releases, service)
    await cp(from, to, { recursive: true, verbatimSymlinks: true })
    copied[service] = to
  }
  return copied
}

/** Whoever the edge runs as may read them: there is no secret in them. */
async function writeStandIns(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}

function refuseFixedPorts(data: EnvironmentInput, because: string): void {
  const fixed = fixedPorts(data)
  if (fixed.length === 0) return
  throw new HoldfastError({
    code: 'environment.rebuild-refused',
    kind: 'user',
    message: `${fixed.join(', ')}: insists on a port, which it cannot have twice without a network of its own (${because})`,
    path: `services.${fixed[0]}.port`,
    hint: 'let it listen on PORT, or rebuild where namespaces are permitted (as root on Linux)',
  })
}

const withoutWalls = (because: string): string =>
  `not kept apart (${because}): it may reach the network, and services see and may write the files beside the environment file`

/** Prepares the place: files, stand-ins, releases, ports, and how the walls are put up. Errors: `environment.rebuild-refused`. */
export async function prepare(
  ground: Ground,
  wish: Wish,
  { loaded, place }: { readonly loaded: LoadedEnvironment; readonly place: Place },
): Promise<Prepared> {
  const data = loaded.data as EnvironmentInput
  const { dataDirectory, random } = ground
  const isolation = await findIsolation({
    directory: loaded.directory,
    dataDirectory,
    place: place.directory,
  })
  const because = 'because' in isolation ? isolation.because : null
  if (because !== null) refuseFixedPorts(data, because)
  const listeners = loaded.environment.edge.listen.length
  const sandbox = sandboxFile(data, {
    into: wish.into,
    directories: await copyReleases(ground, place),
    ports: because === null ? null : await ownPorts(wish.into, listeners + 1),
    standIns: place.standIns,
    invent: () => randomToken(random, 24),
  })
  parseEnvironment(sandbox.data)
  await writeStandIns(sandbox.files)
  const request: BuildRequest = {
    file: loaded.file,
    hash: loaded.hash,
    data: sandbox.data,
    dataDirectory: place.data,
    keepMs: wish.keepMs,
  }
  await writeFile(place.requestFile, JSON.stringify(request), { mode: 0o600 })
  await (await open(place.logFile, 'a', 0o600)).close()
  return {
    isolation,
    variables: { ...harmlessVariables(ground.variables), ...sandbox.variables },
    notes: [...sandbox.notes, ...(because === null ? [] : [withoutWalls(because)])],
  }
}
