import { cp, mkdir, open, statfs, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { environment } from '../../capabilities/environment/index.ts'
import { HoldfastError, randomToken, systemClock, type Random } from '../../kernel/std/index.ts'
import {
  loadEnvironment,
  parseEnvironment,
  type EnvironmentFile,
  type EnvironmentInput,
  type LoadedEnvironment,
} from '../composition/index.ts'
import { wholeEnvironment } from '../../providers/docker-swarm/index.ts'
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
  /** It has a network of its own, without a way out. */
  readonly isApart: boolean
  /** The whole environment of the builder. */
  readonly variables: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

/** Reads the file that is to be built; what was accepted is read already. Errors: those of `loadEnvironment`. */
export async function readFileOf({ loaded }: Ground, { from }: Wish): Promise<LoadedEnvironment> {
  return from === undefined ? loaded : await loadEnvironment(resolve(loaded.directory, from))
}

/** Where the containers of an environment are made, as its file has it; null: it has none. */
export function swarmOf({ environment: { engine } }: LoadedEnvironment): string | null {
  return engine === 'local' ? null : engine.swarm
}

/** Names are all that tells what is whose on a swarm. Errors: `environment.rebuild-refused`, those of the swarm. */
export async function refuseStrangers(loaded: LoadedEnvironment, into: string): Promise<void> {
  const swarm = swarmOf(loaded)
  const found = swarm === null ? [] : await wholeEnvironment(swarm, into, systemClock).list()
  if (found.length === 0) return
  throw new HoldfastError({
    code: 'environment.rebuild-refused',
    kind: 'user',
    message: `there is something of an environment "${into}" on the swarm: ${found.slice(0, 3).join(', ')}`,
    path: 'into',
    hint: 'give the second environment another name',
  })
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

/** An empty database that takes the place of somebody else's is run from an image, too. */
function refuseUnfit(sandbox: EnvironmentFile, containers: boolean): void {
  const [unfit] = environment.findUnfit(sandbox, { containers })
  if (unfit === undefined) return
  throw new HoldfastError({
    code: 'environment.rebuild-refused',
    kind: 'user',
    message: `${unfit.path}: an empty one would have to take its place, but ${unfit.message}`,
    path: unfit.path ?? '',
    hint: 'name beside its address the "image" of an empty one',
  })
}

/** What a second environment shares with the first one all the same, in words. */
function openings(isContained: boolean, because: string | null): readonly string[] {
  const containers =
    'its containers are made by Docker, outside of all walls: they may reach the network, and their ports are open as those of the first environment'
  return [...(isContained ? [containers] : []), ...(because === null ? [] : [withoutWalls(because)])]
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
  const isContained = swarmOf(loaded) !== null
  const isolation = await findIsolation({
    directory: loaded.directory,
    dataDirectory,
    place: place.directory,
    network: !isContained,
  })
  const because = 'because' in isolation ? isolation.because : null
  // A port in a container is nobody else's.
  if (because !== null && !isContained) refuseFixedPorts(data, because)
  const isApart = because === null && !isContained
  const listeners = loaded.environment.edge.listen.length
  const sandbox = sandboxFile(data, {
    into: wish.into,
    directories: await copyReleases(ground, place),
    ports: isApart ? null : await ownPorts(wish.into, listeners + 1),
    standIns: place.standIns,
    invent: () => randomToken(random, 24),
  })
  refuseUnfit(parseEnvironment(sandbox.data), isContained)
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
    isApart,
    variables: { ...harmlessVariables(ground.variables), ...sandbox.variables },
    notes: [...sandbox.notes, ...openings(isContained, because)],
  }
}
