import { isAbsolute, join, resolve } from 'node:path'
import type { Specification } from '../../../contracts/supervisor.ts'
import { contentHash, lookUp } from '../../../kernel/std/index.ts'
import type { ServiceConfig, ServicesConfig, VolumesConfig } from '../config.ts'
import type { DatabaseReference, DatabasesConfig, VariableValues } from '../databases/config.ts'
import { namedUrl } from '../databases/managed.ts'
import type { EnvironmentPorts } from '../ports.ts'
import { handedFiles, type FileContents } from './handed-files.ts'
import { needsOfService } from './needs.ts'
import { ownershipOf } from './ownership.ts'
import { searchPathOf } from './search-path.ts'

/** Where the environment file lies and what its services may be handed from outside. */
export interface Ground {
  /** Absolute directory of the environment file. */
  readonly directory: string
  readonly hostVariables: Readonly<Record<string, string>>
  /** Replicas run in containers, from images; otherwise they are programs of this machine. */
  readonly containers: boolean
  /** What is in the files that the environment file hands to services; absent: it hands none. */
  readonly contents?: FileContents
}

/** The same, with what replicas are told by the house and where releases lie. */
export interface ReplicaGround extends Ground {
  readonly givenVariables: EnvironmentPorts['givenVariables']
  /** Absolute directory of a release of a service. */
  readonly releaseDirectory: (service: string, release: string) => string
  /** What a release runs from; null: it is files. */
  readonly releaseImage: (service: string, release: string) => string | null
  readonly volumes: VolumesConfig
  /** Absolute directory of a volume. */
  readonly volumeDirectory: (volume: string) => string
  readonly databases: DatabasesConfig
  /** Absolute directory of the files of a database. */
  readonly databaseDirectory: (database: string) => string
  /** What a variable that refers to a database holds. */
  readonly databaseUrl: (reference: DatabaseReference) => string
}

/** Variable in which a service finds the path of a volume. */
export function volumeVariable(volume: string): string {
  return `VOLUME_${volume.toUpperCase().replaceAll('-', '_')}`
}

/** How a service is moved from one group to the next. */
export interface RolloutRule {
  /** Stop first, start then: it cannot be there twice. */
  readonly inPlace: boolean
  /** So many replicas may be there beyond those that are wished. */
  readonly surge: number
  /** So many new ones are started first and judged. */
  readonly canaries: number
  /** Share of the requests that they get meanwhile; null: as many as any other replica. */
  readonly share: number | null
  /** How long they are judged, milliseconds; 0: not at all. */
  readonly judgeForMs: number
  readonly errorMargin: number
  readonly p95Factor: number
  /** From no more requests to SIGTERM, milliseconds. */
  readonly drainMs: number
}

/** What a service is to be: the group that shall run, how many replicas of it, and how it is moved there. */
export interface Wish {
  readonly name: string
  /** Content hash of the specification. */
  readonly hash: string
  readonly specification: Specification
  readonly replicas: number
  readonly listens: boolean
  /** Path of the health check; null: a TCP connection is enough. */
  readonly health: string | null
  readonly startTimeoutMs: number
  /** Names of what has to be well before it is started. */
  readonly needs: readonly string[]
  readonly rollout: RolloutRule
  /** A deploy is under way that goes back to the release before if this one is no good. */
  readonly pending: boolean
}

/** Which release of a service is wished. */
export interface WishedRelease {
  /** Empty: the files as they lie in its directory. */
  readonly wished: string
  /** The deploy that is under way; null: none. */
  readonly pending: { readonly rollback: boolean } | null
}

/** Variables that every program expects; all others are handed on by name only. */
const ordinaryVariables = ['HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const

/** The program as it is started: a path with a slash is relative to the service's directory. */
export function programPath(program: string, directory: string): string {
  return program.includes('/') && !isAbsolute(program) ? resolve(directory, program) : program
}

/** PATH of what runs in these directories, the first of which counts most; absolute. That of the environment file comes last. */
export function searchPathFor(directories: readonly string[], { directory, hostVariables }: Ground): string {
  return searchPathOf([...directories, directory], lookUp(hostVariables, 'PATH'))
}

/** Absolute directory of a service's files; `directory` is that of the environment file. */
export function serviceDirectory(service: ServiceConfig, directory: string): string {
  return join(resolve(directory, service.directory))
}

/** Variables as texts: those that refer to a database hold its URL. */
function textsOf(values: VariableValues, ground: ReplicaGround): Record<string, string> {
  const texts = Object.entries(values).map(
    ([name, value]) => [name, typeof value === 'string' ? value : ground.databaseUrl(value)] as const,
  )
  return Object.fromEntries(texts)
}

/** What the variables of a program follow from. */
interface VariableGround extends Pick<ServiceConfig, 'env' | 'passEnv' | 'volumes'> {
  /** Absolute directories whose programs it finds, the one that it runs in first. */
  readonly directories: readonly string[]
}

/** The variables of what runs in the name of a service: ordinary ones, those that are handed on, what it is told, its own. */
export function variablesFor(
  name: string,
  { env, passEnv, volumes, directories }: VariableGround,
  ground: ReplicaGround,
): Record<string, string> {
  const places = volumes.map((volume) => [volumeVariable(volume), ground.volumeDirectory(volume)] as const)
  const handedOn = [...(ground.containers ? [] : ordinaryVariables), ...passEnv].flatMap((variable) => {
    const value = lookUp(ground.hostVariables, variable)
    return value === undefined ? [] : [[variable, value] as const]
  })
  const given = { ...ground.givenVariables(name), ...Object.fromEntries(places) }
  const path = ground.containers ? {} : { PATH: searchPathFor(directories, ground) }
  return { ...given, ...Object.fromEntries(handedOn), ...path, ...textsOf(env, ground) }
}

function portOf(service: ServiceConfig): Specification['port'] {
  if (service.port !== undefined) return { fixed: service.port }
  return service.listens ? { assigned: true } : null
}

/** What is started, and what it finds there. */
type Program = Pick<Specification, 'command' | 'image' | 'build' | 'mounts' | 'node'>

/** Where volumes lie, there has to run what uses them; that they lie apart is a finding. */
function nodeOf(volumes: readonly string[], ground: ReplicaGround): Pick<Specification, 'node'> {
  const node = volumes
    .map((volume) => lookUp(ground.volumes, volume)?.node)
    .find((named) => named !== undefined)
  return node === undefined ? {} : { node }
}

/** Where the files of something lie, and what it runs from instead if its release is an image. */
interface ProgramPlace {
  readonly directory: string
  readonly releaseImage: string | null
}

/** What it runs from: an image that is there, or how one is made. */
function imageOf({ image, build }: Pick<ServiceConfig, 'image' | 'build'>): Pick<Program, 'image' | 'build'> {
  if (build === undefined) return image === undefined ? {} : { image }
  const { dockerfile, base, push } = build
  const from = dockerfile === undefined ? {} : { dockerfile }
  return { build: { ...from, base, ...(push === undefined ? {} : { push }) } }
}

/** What is started: a program of this machine, or an image that is there, or is made, or is the release. */
export function programOf(
  config: Pick<ServiceConfig, 'command' | 'image' | 'build' | 'volumes'>,
  { directory, releaseImage }: ProgramPlace,
  ground: ReplicaGround,
): Program {
  const { command = [], volumes } = config
  if (!ground.containers) {
    const [program = '', ...rest] = command
    return { command: [programPath(program, directory), ...rest] }
  }
  const mounts = Object.fromEntries(volumes.map((volume) => [volume, ground.volumeDirectory(volume)]))
  return {
    command: [...command],
    ...(releaseImage === null ? imageOf(config) : { image: releaseImage }),
    ...(volumes.length === 0 ? {} : { mounts }),
    ...nodeOf(volumes, ground),
  }
}

function specificationOf(
  name: string,
  service: ServiceConfig,
  { release, services, ground }: SpecificationGround,
): Specification {
  const own = serviceDirectory(service, ground.directory)
  const directory = release === '' ? own : ground.releaseDirectory(name, release)
  return {
    service: name,
    release,
    ...programOf(service, { directory, releaseImage: ground.releaseImage(name, release) }, ground),
    directory,
    variables: variablesFor(name, { ...service, directories: [directory, own] }, ground),
    ...handedFiles(service.files, ground),
    port: portOf(service),
    restarts: true,
    stopTimeoutMs: service.stopTimeout,
    mayExpose: service.mayExpose !== undefined,
    memoryMiB: service.resources.memoryMiB ?? null,
    cpus: service.resources.cpus ?? null,
    // Accounts of this machine are none in a container.
    ...(ground.containers ? {} : ownershipOf(name, service, { ...ground, services })),
  }
}

interface SpecificationGround {
  readonly release: string
  readonly services: ServicesConfig
  readonly ground: ReplicaGround
}

/** What was good once is not judged again, and comes back all at once. */
function rolloutOf(service: ServiceConfig, isRollback: boolean, ground: ReplicaGround): RolloutRule {
  const { surge, drain, canary } = service.deploy
  const isExclusive = service.volumes.some((name) => ground.volumes[name]?.exclusive === true)
  return {
    // A port in a container is nobody else's.
    inPlace: isExclusive || (service.port !== undefined && !ground.containers),
    surge: isRollback ? service.replicas.min : surge,
    canaries: Math.max(1, Math.round(canary.share * service.replicas.min)),
    share: canary.share,
    judgeForMs: service.listens && !isRollback ? canary.for : 0,
    errorMargin: canary.errors,
    p95Factor: canary.slower,
    drainMs: drain,
  }
}

/** What shall run, from the file and from the releases that were deployed. */
export function wishedServices(
  services: ServicesConfig,
  releaseOf: (service: string) => WishedRelease,
  ground: ReplicaGround,
): readonly Wish[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const { address, listens, health = null } = service
    if (address !== undefined) return []
    const { wished: release, pending } = releaseOf(name)
    const specification = specificationOf(name, service, { release, services, ground })
    return {
      name,
      hash: contentHash(specification),
      specification,
      replicas: service.replicas.min,
      listens,
      health,
      startTimeoutMs: service.startTimeout,
      needs: needsOfService(service),
      rollout: rolloutOf(service, pending?.rollback === true, ground),
      pending: pending !== null,
    }
  })
}

/** The parts of the environment file that services are made from. */
interface AloneSections {
  readonly services: ServicesConfig
  readonly volumes: VolumesConfig
  readonly databases: DatabasesConfig
}

/** The releases that services run, and what those run from that are images, by service. */
export interface AloneReleases {
  readonly running: Readonly<Record<string, string>>
  readonly images: Readonly<Record<string, string>>
}

/** The machine, with a place for what services write. */
export interface AloneGround extends Ground {
  /** Absolute directory with `volumes/<name>` in it; absent: nothing is started, and names are enough. */
  readonly standIns?: string
}

/** What shall run without the house around it: no releases but those given, no control to ask, volumes by name only. */
export function wishedAlone(
  { services, volumes, databases }: AloneSections,
  { standIns = '/', ...around }: AloneGround,
  releases: AloneReleases = { running: {}, images: {} },
): readonly Wish[] {
  const ground: ReplicaGround = {
    ...around,
    givenVariables: () => ({}),
    releaseDirectory: (service, release) => join('/releases', service, release),
    releaseImage: (service) => lookUp(releases.images, service) ?? null,
    volumes,
    volumeDirectory: (volume) => join(standIns, 'volumes', volume),
    databases,
    databaseDirectory: (database) => join(standIns, 'databases', database),
    databaseUrl: (reference) => namedUrl(databases, reference, around.hostVariables),
  }
  return wishedServices(
    services,
    (service) => ({ wished: lookUp(releases.running, service) ?? '', pending: null }),
    ground,
  )
}
