import { join, resolve } from 'node:path'
import type { Specification } from '../../../contracts/supervisor.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'
import {
  handedFiles,
  ownershipOf,
  programOf,
  serviceDirectory,
  variablesFor,
  type Ownership,
  type ReplicaGround,
} from '../wish/index.ts'
import type { JobConfig } from './config.ts'

/** Replicas of jobs are told from those of services by their names. */
export const jobPrefix = 'job-'

/** Whether replicas of a name are runs of a job. */
export const isOfJob = (service: string): boolean => service.startsWith(jobPrefix)

/** What a run is made from. */
export interface RunGround {
  readonly services: ServicesConfig
  readonly replicas: ReplicaGround
  /** Release that a service is wished to run; empty: its files as they lie. */
  readonly releaseOf: (service: string) => string
}

/** Which run of which job. */
export interface RunPlace {
  readonly job: string
  /** The same key is the same run. */
  readonly key: string
  /** Release whose files it runs, when that is not the one that serves. */
  readonly release?: string | undefined
}

type Inherited = Pick<
  ServiceConfig,
  'env' | 'passEnv' | 'files' | 'volumes' | 'resources' | 'image' | 'build'
>

const inheritsNothing: Inherited = { env: {}, passEnv: [], files: {}, volumes: [], resources: {} }

interface Place {
  readonly directory: string
  /** Where its service lies in the file. */
  readonly own: string
  readonly release: string
  /** What that release runs from; null: it is files. */
  readonly releaseImage: string | null
  readonly service: Inherited
  /** That of its service, so that it finds what that may. */
  readonly ownership: Ownership
}

/** Where the files are that a job runs with: those of its service's release, else those of the file. */
function placeOf(
  config: JobConfig,
  release: string | undefined,
  { services, replicas, releaseOf }: RunGround,
): Place {
  const name = config.service
  const service = name === undefined ? undefined : services[name]
  if (name === undefined || service === undefined) {
    const { directory } = replicas
    const nothing = { release: '', releaseImage: null, service: inheritsNothing, ownership: {} }
    return { directory, own: directory, ...nothing }
  }
  const version = release ?? releaseOf(name)
  const own = serviceDirectory(service, replicas.directory)
  const directory = version === '' ? own : replicas.releaseDirectory(name, version)
  const releaseImage = replicas.releaseImage(name, version)
  const ownership = { user: name, ...ownershipOf(name, service, { ...replicas, services }) }
  return { directory, own, release: version, releaseImage, service, ownership }
}

/** How a run of a job is started: once, in the place and with the variables of its service. */
export function runSpecification(
  config: JobConfig,
  { job, key, release }: RunPlace,
  ground: RunGround,
): Specification {
  const place = placeOf(config, release, ground)
  const { env, passEnv, files, volumes, resources, image, build } = place.service
  const directory = join(resolve(place.directory, config.directory ?? '.'))
  const told = {
    env: { ...env, ...config.env },
    passEnv: [...passEnv, ...config.passEnv],
    volumes,
    directories: [directory, place.own],
  }
  return {
    service: `${jobPrefix}${job}`,
    release: place.release,
    ...programOf(
      { command: config.command, image, build, volumes },
      { directory, releaseImage: place.releaseImage },
      ground.replicas,
    ),
    directory,
    variables: { ...variablesFor(config.service ?? job, told, ground.replicas), HOLDFAST_RUN: key },
    ...handedFiles(files, ground.replicas),
    port: null,
    restarts: false,
    stopTimeoutMs: 10_000,
    mayExpose: false,
    memoryMiB: resources.memoryMiB ?? null,
    cpus: resources.cpus ?? null,
    ...place.ownership,
  }
}
