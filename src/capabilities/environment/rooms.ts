import { lookUp } from '../../kernel/std/index.ts'
import type { Context } from '../../kernel/capability/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import type { ServicesConfig, VolumesConfig } from './config.ts'
import type { DatabasesConfig } from './databases/config.ts'
import { createDatabases, type Databases } from './databases/index.ts'
import type { EnvironmentPorts } from './ports.ts'
import { createRollouts, tellsOfLoss, type Rollouts } from './rollout/index.ts'
import {
  createRuns,
  createSchedules,
  type JobsConfig,
  type Runs,
  type Schedules,
  type SchedulesConfig,
} from './runs/index.ts'
import { environmentFold, releasesOf, type EnvironmentView } from './view.ts'
import { createWatch, type LookAt, type Watch } from './watch/index.ts'
import { wishedServices, type FileContents, type ReplicaGround, type Wish } from './wish/index.ts'

/** The section of the environment file, with what the rest of the file says about the whole. */
export interface EnvironmentConfig {
  readonly name: string
  readonly version: string
  /** Absolute directory of the environment file. */
  readonly directory: string
  readonly services: ServicesConfig
  readonly volumes: VolumesConfig
  readonly databases: DatabasesConfig
  readonly jobs: JobsConfig
  readonly schedules: SchedulesConfig
  /** What is in the files that services are handed; absent: they are handed none. */
  readonly contents?: FileContents
}

/** What the capability is made of. */
export interface Rooms {
  readonly ground: ReplicaGround
  /** What the timeline says; nothing before `follow`. */
  readonly view: () => EnvironmentView
  /** Begins to follow the timeline. */
  readonly follow: () => Promise<View<EnvironmentView>>
  readonly databases: Databases
  /** Services and databases, by name: what is watched, restarted and has logs. */
  readonly watched: ServicesConfig
  readonly wished: () => readonly Wish[]
  readonly rollouts: Rollouts
  readonly watch: Watch
  readonly runs: Runs
  readonly planned: Schedules
}

function groundOf(
  config: EnvironmentConfig,
  ports: EnvironmentPorts,
  { databases, view }: { readonly databases: Databases; readonly view: () => EnvironmentView },
): ReplicaGround {
  return {
    directory: config.directory,
    hostVariables: ports.hostVariables,
    containers: ports.engine.runs === 'images',
    contents: config.contents ?? {},
    givenVariables: ports.givenVariables,
    releaseDirectory: (service, release) => ports.releases.directoryOf(service, release),
    releaseImage: (service, release) => lookUp(releasesOf(view(), service).images, release) ?? null,
    volumes: config.volumes,
    volumeDirectory: (volume) => ports.volumes.directoryOf(volume),
    databases: config.databases,
    databaseUrl: (reference) => databases.urlOf(reference),
    databaseDirectory: (database) => ports.databases.placeOf(database),
  }
}

const probeTimeoutMs = 2000

/** Databases are asked in their own protocols. */
function lookWith(prober: EnvironmentPorts['prober'], databases: Databases): LookAt {
  return (name, target, { health = null }) =>
    Object.hasOwn(databases.services, name)
      ? databases.probe(name, target.since)
      : prober.probe(target.origin, health, probeTimeoutMs)
}

/** Makes the rooms and shows them one another; nothing has an effect yet. */
export function furnish(config: EnvironmentConfig, context: Context, ports: EnvironmentPorts): Rooms {
  const { services, jobs, schedules } = config
  const { engine, logs } = ports
  const shelf: { view?: View<EnvironmentView> } = {}
  const view = (): EnvironmentView => shelf.view?.state ?? environmentFold.initial
  const databases = createDatabases({ databases: config.databases, context, view, ports })
  const watched = { ...services, ...databases.services }
  const ground = groundOf(config, ports, { databases, view })
  const releaseOf = (service: string) => releasesOf(view(), service)
  const wished = (): readonly Wish[] => [
    ...databases.wished(),
    ...wishedServices(services, releaseOf, ground),
  ]
  const rollouts = createRollouts({
    context,
    engine: tellsOfLoss(engine, { name: config.name, context, isLost: () => view().isLost }),
    wished,
    refused: (service, hash) => {
      const given = lookUp(view().refused, service)
      return given?.group === hash ? given.because : null
    },
    others: (replicas) => runs.groups(replicas),
  })
  const said = (service: string) => lookUp(view().said, service) ?? 'nothing'
  const watch = createWatch(watched, context, {
    engine,
    lookAt: lookWith(ports.prober, databases),
    said,
    rollouts,
    releaseOf: (service) => releaseOf(service).wished,
  })
  const runs: Runs = createRuns({
    jobs,
    ground: { services, replicas: ground, releaseOf: (service) => releaseOf(service).wished },
    context,
    watch,
    logs,
  })
  const planned = createSchedules({ schedules, runs, view, context })
  const follow = async (): Promise<View<EnvironmentView>> =>
    (shelf.view = await context.view(environmentFold))
  return { ground, view, follow, databases, watched, wished, rollouts, watch, runs, planned }
}
