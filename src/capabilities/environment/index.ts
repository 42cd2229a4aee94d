import type { Capability, Context } from '../../kernel/capability/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import {
  jobsConfig,
  schedulesConfig,
  serviceConfig,
  servicesConfig,
  volumesConfig,
  type ServicesConfig,
  type VolumesConfig,
} from './config.ts'
import { databasesConfig, isManaged, type DatabasesConfig } from './databases/config.ts'
import { bindDatabases, createDatabases, findDatabaseTroubles } from './databases/index.ts'
import { bindDeploys } from './deploys/index.ts'
import { bindOperations } from './operations.ts'
import type { ReplicaStatus } from '../../contracts/supervisor.ts'
import type { EnvironmentPorts, Group, ServiceEndpoints } from './ports.ts'
import { createRollouts } from './rollout/index.ts'
import {
  bindRuns,
  createRuns,
  createSchedules,
  type JobsConfig,
  type Runs,
  type SchedulesConfig,
} from './runs/index.ts'
import { environmentFold, releasesOf, type EnvironmentView } from './view.ts'
import { createWatch, followEvents, type LookAt, type Said } from './watch/index.ts'
import {
  findMissingVariables,
  findProgramTroubles,
  findStrangers,
  findUnmetNeeds,
  needsOf,
  orderByNeeds,
  wishedAlone,
  wishedServices,
  type ReplicaGround,
  type Sections,
  type WishedService,
} from './wish/index.ts'

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
}

/** The running capability, with what the edge needs to know of it. */
export interface EnvironmentCapability extends Capability {
  /** Who answers for each service that listens, now. */
  endpoints(): readonly ServiceEndpoints[]
  /** Calls the listener whenever `endpoints` has changed, and at once when they are known already. */
  onEndpoints(listener: () => void): void
}

const probeTimeoutMs = 2000

function create(config: EnvironmentConfig, context: Context, ports: EnvironmentPorts): EnvironmentCapability {
  const { services, volumes, jobs, schedules } = config
  const { engine, hostVariables, givenVariables } = ports
  const releaseDirectory = (service: string, release: string): string =>
    ports.releases.directoryOf(service, release)
  const shelf: { view?: View<EnvironmentView> } = {}
  const view = (): EnvironmentView => shelf.view?.state ?? environmentFold.initial
  const databases = createDatabases({ databases: config.databases, context, view, ports })
  const watched = { ...services, ...databases.services }
  const ground: ReplicaGround = {
    directory: config.directory,
    hostVariables,
    givenVariables,
    releaseDirectory,
    volumes,
    volumeDirectory: (volume) => ports.volumes.directoryOf(volume),
    databaseUrl: (reference) => databases.urlOf(reference),
  }
  const said = (service: string): Said => view().said[service] ?? 'nothing'
  const wished = (): readonly WishedService[] => [
    ...databases.wished(),
    ...wishedServices(services, (service) => releasesOf(view(), service), ground),
  ]
  const refused = (service: string, hash: string): string | null => {
    const given = view().refused[service]
    return given?.group === hash ? given.because : null
  }
  const shed: { runs?: Runs } = {}
  const others = (replicas: readonly ReplicaStatus[]): readonly Group[] => shed.runs?.groups(replicas) ?? []
  const rollouts = createRollouts({ context, engine, wished, refused, others })
  const lookAt: LookAt = (name, target, { health = null }) =>
    Object.hasOwn(databases.services, name)
      ? databases.probe(name, target.since)
      : ports.prober.probe(target.origin, health, probeTimeoutMs)
  const watch = createWatch(watched, context, { engine, lookAt, said, rollouts })
  const releaseOf = (service: string): string => releasesOf(view(), service).wished
  const runs = createRuns({
    jobs,
    ground: { services, replicas: ground, releaseOf },
    context,
    watch: () => watch,
    logs: ports.logs,
  })
  shed.runs = runs
  const planned = createSchedules({ schedules, runs, view, context })
  const whole = { name: config.name, version: config.version, services: Object.keys(watched) }
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  const deploys = { services, directory: config.directory, view, wished, watch, rollouts, runs, context }
  return {
    name: 'environment',
    operations: [
      ...bindOperations({
        ...config,
        services: watched,
        startedAt: context.clock.now(),
        watch,
        context,
        ports,
        notes: () => databases.notes(),
      }),
      ...bindDatabases({
        databases: config.databases,
        room: databases,
        store: ports.databases,
        watch: () => watch,
        view,
      }),
      ...bindDeploys({ ...deploys, releases: ports.releases, timeline: context.timeline }),
      ...bindRuns({ jobs, schedules, runs, planned, timeline: context.timeline }),
    ],
    endpoints: () =>
      Object.entries(services)
        .filter(([, service]) => service.listens)
        .map(([name, service]) => ({
          name,
          targets: watch
            .targets(name)
            .map(({ id, origin, group, weight }) => ({ id, origin, group, weight })),
          healthPath: service.health ?? null,
        })),
    onEndpoints: (listener) => watch.onTargets(listener),
    check: async () => [
      ...(await findProgramTroubles(services, ground, ports.canRun)),
      ...findMissingVariables(services, ground),
      ...findUnmetNeeds(needsOf(config)),
      ...findStrangers(config),
      ...(await findDatabaseTroubles(config.databases, {
        providers: ports.databaseProviders,
        store: ports.databases,
        hostVariables,
      })),
    ],
    start: async () => {
      const following = await context.view(environmentFold)
      shelf.view = following
      const follower = { engine, whole, view: following, signal: stopping.signal }
      for (const volume of Object.keys(volumes)) await ports.volumes.ensure(volume)
      await databases.prepare()
      running.push(planned.keep(stopping.signal))
      running.push(followEvents(context, follower), watch.run(stopping.signal))
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

/** The capability that runs services and knows how they are. */
export const environment = {
  serviceConfig,
  servicesConfig,
  volumesConfig,
  jobsConfig,
  schedulesConfig,
  databasesConfig,
  create,
  findProgramTroubles,
  findMissingVariables,
  findDatabaseTroubles,
  isManagedDatabase: isManaged,
  needsOf,
  orderByNeeds,
  wishedAlone,
  findNeeds: (config: Sections) => [...findUnmetNeeds(needsOf(config)), ...findStrangers(config)],
}
