import { environmentFacts } from '../../contracts/environment.ts'
import type { Capability, Context, Finding, OperationBinding } from '../../kernel/capability/index.ts'
import { jobsConfig, schedulesConfig, serviceConfig, servicesConfig, volumesConfig } from './config.ts'
import { databasesConfig, isManaged } from './databases/config.ts'
import { bindDatabases, findDatabaseTroubles } from './databases/index.ts'
import { bindDeploys } from './deploys/index.ts'
import {
  findMissingVariables,
  findPartedVolumes,
  findProgramTroubles,
  findStrangers,
  findUnfitDatabases,
  findUnfitFiles,
  findUnfitJobs,
  findUnfitServices,
  findUnmetNeeds,
  findUnplacedVolumes,
  sayUnfitSize,
  type Sections,
} from './findings/index.ts'
import { bindOperations } from './operations.ts'
import type { EnvironmentPorts, ServiceEndpoints } from './ports.ts'
import { furnish, type EnvironmentConfig, type Rooms } from './rooms.ts'
import { addingOnly } from './rollout/index.ts'
import { bindRuns, isOfJob } from './runs/index.ts'
import { bindVolumes, makeVolumes } from './volumes/index.ts'
import { followEvents } from './watch/index.ts'
import { needsOf, orderByNeeds, startTimeouts, wishedAlone, type Ground } from './wish/index.ts'

/** The running capability, with what the edge needs to know of it. */
export interface EnvironmentCapability extends Capability {
  /** Who answers for each service that listens, now. */
  endpoints(): readonly ServiceEndpoints[]
  /** Calls the listener whenever `endpoints` has changed, and at once when they are known already. */
  onEndpoints(listener: () => void): void
  /** Told to which targets the edge sends: who is to go waits until that is not it. */
  sentTo(targets: ReadonlySet<string>): void
  /**
   * Takes the first step towards what is wished, as far as that only adds replicas; of one that is not started, while no
   * other is. Errors: those of the engine and of the stores.
   */
  begin(): Promise<void>
}

function create(config: EnvironmentConfig, context: Context, ports: EnvironmentPorts): EnvironmentCapability {
  const { services } = config
  const rooms = furnish(config, context, ports)
  const { watch, planned } = rooms
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  return {
    name: 'environment',
    operations: bindAll(config, context, { ports, rooms }),
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
    sentTo: (targets) => watch.sentTo(targets),
    begin: async () => {
      const adding = furnish(config, context, { ...ports, engine: addingOnly(ports.engine) })
      await prepare(config, context, { ports, rooms: adding })
      await adding.watch.round()
    },
    check: async () => [
      ...findUnfit(config, rooms.ground),
      ...(await findProgramTroubles(services, rooms.ground, ports.canRun)),
      ...findMissingVariables(services, rooms.ground),
      ...findUnfitFiles(services, rooms.ground),
      ...findNeeds(config),
      ...(await findDatabaseTroubles(config.databases, {
        providers: ports.databaseProviders,
        store: ports.databases,
        hostVariables: ports.hostVariables,
      })),
    ],
    start: async () => {
      const { signal } = stopping
      const view = await prepare(config, context, { ports, rooms })
      const whole = { name: config.name, version: config.version, services: Object.keys(rooms.watched) }
      running.push(followEvents(context, { engine: ports.engine, whole, view, signal }))
      // Schedules have to know what runs already.
      running.push(
        watch.run(signal),
        watch.round().then(() => planned.keep(signal)),
      )
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

/** What has to be there before anything is started. */
async function prepare(
  { name, volumes }: EnvironmentConfig,
  context: Context,
  { ports, rooms }: { readonly ports: EnvironmentPorts; readonly rooms: Rooms },
): Promise<Awaited<ReturnType<Rooms['follow']>>> {
  const view = await rooms.follow()
  await ports.takeOver(async (from) => {
    const others = from.length === 0 ? 'nobody' : from.join(', ')
    await context.record(environmentFacts.takenOver, { name, from: others })
  })
  await makeVolumes(volumes, ports.volumes, context)
  await rooms.databases.prepare()
  return view
}

function findUnfit(config: Sections, ground: Pick<Ground, 'containers'>): readonly Finding[] {
  return [
    ...findUnfitServices(config.services, ground),
    ...findUnfitJobs(config, ground),
    ...findUnfitDatabases(config.databases, ground),
    ...(ground.containers ? findPartedVolumes(config) : []),
  ]
}

function bindAll(
  config: EnvironmentConfig,
  context: Context,
  { ports, rooms }: { readonly ports: EnvironmentPorts; readonly rooms: Rooms },
): readonly OperationBinding[] {
  const { watch, watched, databases, view } = rooms
  const { services, directory, jobs, schedules } = config
  const { timeline } = context
  return [
    ...bindOperations({
      ...config,
      services: watched,
      startedAt: context.clock.now(),
      watch,
      context,
      ports,
      notes: () => databases.notes(),
    }),
    ...bindDatabases({ ...config, room: databases, watch, view }),
    ...bindVolumes({ ...config, store: ports.volumes }),
    ...bindDeploys({
      ...rooms,
      services,
      directory,
      context,
      releases: ports.releases,
      images: ports.images,
      timeline,
    }),
    ...bindRuns({ ...rooms, jobs, schedules, timeline }),
  ]
}

const findNeeds = (config: Sections): readonly Finding[] => [
  ...findUnmetNeeds(needsOf(config)),
  ...findStrangers(config),
]

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
  findUnfitFiles,
  sayUnfitSize,
  findDatabaseTroubles,
  isManagedDatabase: isManaged,
  isOfJob,
  needsOf,
  findUnfit,
  findUnplacedVolumes,
  orderByNeeds,
  startTimeouts,
  wishedAlone,
  findNeeds,
}
