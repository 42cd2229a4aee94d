import { join, resolve } from 'node:path'
import type { Specification } from '../../../contracts/supervisor.ts'
import type { ServicesConfig } from '../config.ts'
import { programOf, serviceDirectory, variablesFor, type ReplicaGround } from '../wish/index.ts'
import type { JobConfig } from './config.ts'

/** Replicas of jobs are told from those of services by their names. */
export const jobPrefix = 'job-'

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

/** How a run of a job is started: once, in the place and with the variables of its service. */
export function runSpecification(
  config: JobConfig,
  { job, key, release }: RunPlace,
  { services, replicas, releaseOf }: RunGround,
): Specification {
  const service = config.service === undefined ? undefined : services[config.service]
  const version = release ?? (config.service === undefined ? '' : releaseOf(config.service))
  const ofService =
    service === undefined
      ? replicas.directory
      : version === ''
        ? serviceDirectory(service, replicas.directory)
        : replicas.releaseDirectory(config.service ?? '', version)
  const directory = config.directory === undefined ? ofService : join(resolve(ofService, config.directory))
  const { env = {}, passEnv = [], volumes = [] } = service ?? {}
  const variables = variablesFor(
    config.service ?? job,
    { env: { ...env, ...config.env }, passEnv: [...passEnv, ...config.passEnv], volumes },
    replicas,
  )
  const { image, build } = service ?? {}
  return {
    service: `${jobPrefix}${job}`,
    release: version,
    ...programOf({ command: config.command, image, build, volumes }, directory, replicas),
    directory,
    variables: { ...variables, HOLDFAST_RUN: key },
    port: null,
    restarts: false,
    stopTimeoutMs: 10_000,
    mayExpose: false,
    memoryMiB: service?.resources.memoryMiB ?? null,
    cpus: service?.resources.cpus ?? null,
  }
}
