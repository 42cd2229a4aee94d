import { join, resolve } from 'node:path'
import { edge } from '../../capabilities/edge/index.ts'
import { environment, type EnvironmentCapability } from '../../capabilities/environment/index.ts'
import { limits } from '../../capabilities/limits/index.ts'
import type { Capability, Context } from '../../kernel/capability/index.ts'
import { assert, parseDuration, parseSize, type Clock } from '../../kernel/std/index.ts'
import { edgeProcess } from '../../providers/edge-process/index.ts'
import { databaseDirectories, databaseServers } from '../../providers/databases/index.ts'
import { canRun } from '../../providers/host-programs/index.ts'
import { httpProbe } from '../../providers/http-probe/index.ts'
import { releaseFiles } from '../../providers/release-files/index.ts'
import { sqliteJournal } from '../../providers/limit-journal/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'
import { doorUrl, type Composed, type ServeGround, type TokenOf } from '../control/index.ts'
import { keepAccepted, loadAccepted } from './accepted.ts'
import { runsContainers } from './config.ts'
import { engineOf, type EngineGround } from '../engine/index.ts'
import { definedVariables } from './findings.ts'
import { headStart } from './head-start.ts'
import type { LoadedEnvironment } from './load.ts'
import { bindPlans, looksAt, type PlanGround } from '../plan/index.ts'
import { rebuilds } from '../rebuild/index.ts'
import { readAgain } from './read-again.ts'

/** What the capabilities of one environment are made from. */
interface Ground {
  readonly loaded: LoadedEnvironment
  readonly dataDirectory: string
  readonly version: string
  /** Where replicas reach control. */
  readonly controlUrl: string
  /** Only from this machine. */
  readonly isLoopback: boolean
}

/** The providers: the hands of the capabilities. */
function providers(
  { environment }: LoadedEnvironment,
  dataDirectory: string,
  { clock, random }: Pick<Context, 'clock' | 'random'>,
) {
  const hostVariables = definedVariables(process.env)
  return {
    ...engineOf({ environment, dataDirectory, clock, random }),
    dataPlane: edgeProcess({ dataDirectory, request: requestOverSocket }),
    prober: httpProbe(),
    databases: databaseDirectories(join(dataDirectory, 'databases'), random),
    databaseProviders: databaseServers(hostVariables['PATH'] ?? ''),
    releases: releaseFiles({ directory: join(dataDirectory, 'releases'), clock }),
    journal: sqliteJournal({ path: join(dataDirectory, 'limits.db') }),
    canRun,
    hostVariables,
  }
}

type Hands = ReturnType<typeof providers>

/** The capability that runs services, and the hands that it shares with the others. */
function environmentOf(
  { loaded, dataDirectory, version, controlUrl, isLoopback }: Ground,
  context: Context,
  tokenOf: TokenOf,
): { readonly theEnvironment: EnvironmentCapability; readonly hands: Hands } {
  const { name, services, volumes, databases, jobs, schedules } = loaded.environment
  const hands = providers(loaded, dataDirectory, context)
  const { directory, contents = {} } = loaded
  const ground = { name, version, directory, contents, services, volumes, databases, jobs, schedules }
  // What is loopback here is another place in a container.
  const isOutOfReach = runsContainers(loaded.environment) && isLoopback
  const givenVariables = (service: string): Readonly<Record<string, string>> =>
    isOutOfReach ? {} : { HOLDFAST_URL: controlUrl, HOLDFAST_TOKEN: tokenOf(service) }
  return { theEnvironment: environment.create(ground, context, { ...hands, givenVariables }), hands }
}

/** The capabilities, in the order in which they start. */
function capabilities(
  { loaded, dataDirectory }: Ground,
  context: Context,
  { theEnvironment, hands }: ReturnType<typeof environmentOf>,
): readonly Capability[] {
  const { name, ...sections } = loaded.environment
  const { dataPlane, journal } = hands
  const upstreams = {
    current: () => theEnvironment.endpoints(),
    subscribe: (listener: () => void) => theEnvironment.onEndpoints(listener),
    sentTo: (targets: ReadonlySet<string>) => theEnvironment.sentTo(targets),
  }
  const theEdge = edge.create({ name, directory: loaded.directory, section: sections.edge }, context, {
    dataPlane,
    upstreams,
  })
  const theLimits = limits.create(sections.limits, context, { journal })
  const theRebuilds = rebuilds({
    loaded,
    dataDirectory,
    variables: process.env,
    releaseDirectory: (service, release) => hands.releases.directoryOf(service, release),
    context,
  })
  return [theEnvironment, theEdge, theLimits, theRebuilds]
}

const stopPollMs = 250
const mostStopMs = 600_000

/** Nothing is taken from under a process that still runs on it. */
async function untilGone(
  engine: ReturnType<typeof engineOf>['engine'],
  name: string,
  clock: Clock,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + mostStopMs
  while ((await engine.status()).replicas.some(({ service }) => service === name)) {
    assert(clock.monotonicMs() < deadlineMs, `${name} does not stop`)
    await clock.sleep(stopPollMs)
  }
}

/** Removes an object of the environment that holds data. */
async function destroyObject(object: string, ground: EngineGround): Promise<void> {
  const [kind, name = ''] = object.split(' ')
  const { engine, volumes, discard } = engineOf(ground)
  assert(kind === 'volume' || kind === 'database', `nobody knows how to destroy ${object}`)
  if (kind === 'volume') return volumes.remove(name)
  await untilGone(engine, name, ground.clock)
  await discard(`databases/${name}`)
}

/** Composes control from the environment that was accepted last. Errors: those of `loadAccepted`. */
export async function composeControl(
  { dataDirectory, plan, endControl }: ServeGround,
  version: string,
): Promise<Composed> {
  const loaded = await loadAccepted(dataDirectory)
  const { people, control, timeline } = loaded.environment
  const tls = control.tls && {
    certificate: resolve(loaded.directory, control.tls.certificate),
    key: resolve(loaded.directory, control.tls.key),
  }
  const settings = { ...plan, tls, hosts: control.hosts }
  const controlUrl = doorUrl(settings, { address: plan.host, port: plan.port })
  const isLoopback = ['127.0.0.1', '::1', 'localhost'].includes(plan.host)
  const ground = { loaded, dataDirectory, version, controlUrl, isLoopback }
  const engineGround = ({ clock, random }: Context): EngineGround => ({
    environment: loaded.environment,
    dataDirectory,
    clock,
    random,
  })
  const shelf: { handOver: PlanGround['handOver'] } = { handOver: () => Promise.resolve(endControl()) }
  return {
    capabilities: (context, tokenOf) => {
      const current = environmentOf(ground, context, tokenOf)
      shelf.handOver = async (fresh) => {
        const next = environmentOf({ ...ground, loaded: fresh }, context, tokenOf)
        await headStart({
          loaded,
          fresh,
          current: current.theEnvironment,
          next: next.theEnvironment,
          context,
        })
        endControl()
      }
      return capabilities(ground, context, current)
    },
    services: Object.keys(loaded.environment.services),
    bindings: (context) =>
      bindPlans({
        loaded,
        readAgain: () => readAgain(loaded, dataDirectory),
        accept: (fresh) => keepAccepted(dataDirectory, fresh),
        context,
        destroy: (object) => destroyObject(object, engineGround(context)),
        looks: looksAt(engineGround(context)),
        whyKept: (volume, node) => engineOf(engineGround(context)).volumes.whyKept(volume, node),
        handOver: (fresh) => shelf.handOver(fresh),
      }),
    people,
    retention: {
      maxAgeMs: parseDuration(timeline.keepFor) ?? 0,
      maxSizeBytes: parseSize(timeline.keepAtMost) ?? 0,
    },
    settings,
  }
}
