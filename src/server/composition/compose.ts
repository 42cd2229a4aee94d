import { join, resolve } from 'node:path'
import { edge } from '../../capabilities/edge/index.ts'
import { environment } from '../../capabilities/environment/index.ts'
import { limits } from '../../capabilities/limits/index.ts'
import type { Capability, Context } from '../../kernel/capability/index.ts'
import { assert, parseDuration, parseSize, type Clock } from '../../kernel/std/index.ts'
import { edgeProcess } from '../../providers/edge-process/index.ts'
import { databaseDirectories, databaseServers } from '../../providers/databases/index.ts'
import { programFinder } from '../../providers/host-programs/index.ts'
import { httpProbe } from '../../providers/http-probe/index.ts'
import { releaseFiles } from '../../providers/release-files/index.ts'
import { sqliteJournal } from '../../providers/limit-journal/index.ts'
import { localEngine, type LocalEngine } from '../../providers/local-engine/index.ts'
import { logFiles } from '../../providers/log-files/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'
import { doorUrl, type Composed, type ServeGround, type TokenOf } from '../control/index.ts'
import { keepAccepted, loadAccepted } from './accepted.ts'
import { definedVariables } from './findings.ts'
import type { LoadedEnvironment } from './load.ts'
import { volumeDirectories } from '../../providers/volume-directories/index.ts'
import { bindPlans } from '../plan/index.ts'
import { readAgain } from './read-again.ts'

/** What the capabilities of one environment are made from. */
interface Ground {
  readonly loaded: LoadedEnvironment
  readonly dataDirectory: string
  readonly version: string
  /** Where replicas reach control. */
  readonly controlUrl: string
}

/** The providers: the hands of the capabilities. */
function providers(dataDirectory: string, { clock, random }: Pick<Context, 'clock' | 'random'>) {
  const hostVariables = definedVariables(process.env)
  return {
    engine: localEngine({ dataDirectory, request: requestOverSocket }),
    dataPlane: edgeProcess({ dataDirectory, request: requestOverSocket }),
    prober: httpProbe(),
    logs: logFiles,
    volumes: volumeDirectories(join(dataDirectory, 'volumes')),
    databases: databaseDirectories(join(dataDirectory, 'databases'), random),
    databaseProviders: databaseServers(hostVariables['PATH'] ?? ''),
    releases: releaseFiles({ directory: join(dataDirectory, 'releases'), clock }),
    journal: sqliteJournal({ path: join(dataDirectory, 'limits.db') }),
    canRun: programFinder(hostVariables['PATH'] ?? ''),
    hostVariables,
  }
}

/** The capabilities, in the order in which they start. */
function capabilities(
  { loaded, dataDirectory, version, controlUrl }: Ground,
  context: Context,
  tokenOf: TokenOf,
): readonly Capability[] {
  const { name, services, volumes, databases, jobs, schedules, ...sections } = loaded.environment
  const { dataPlane, journal, ...hands } = providers(dataDirectory, context)
  const ground = { name, version, directory: loaded.directory, services, volumes, databases, jobs, schedules }
  const givenVariables = (service: string) => ({
    HOLDFAST_URL: controlUrl,
    HOLDFAST_TOKEN: tokenOf(service),
  })
  const theEnvironment = environment.create(ground, context, { ...hands, givenVariables })
  const upstreams = {
    current: () => theEnvironment.endpoints(),
    subscribe: (listener: () => void) => theEnvironment.onEndpoints(listener),
  }
  const theEdge = edge.create({ name, directory: loaded.directory, section: sections.edge }, context, {
    dataPlane,
    upstreams,
  })
  const theLimits = limits.create(sections.limits, context, { journal })
  return [theEnvironment, theEdge, theLimits]
}

const stopPollMs = 250
const mostStopMs = 600_000

/** Nothing is taken from under a process that still runs on it. */
async function untilGone(engine: LocalEngine, name: string, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + mostStopMs
  while ((await engine.status()).replicas.some(({ service }) => service === name)) {
    assert(clock.monotonicMs() < deadlineMs, `${name} does not stop`)
    await clock.sleep(stopPollMs)
  }
}

/** Removes an object of the environment that holds data. */
async function destroyObject(object: string, dataDirectory: string, clock: Clock): Promise<void> {
  const [kind, name = ''] = object.split(' ')
  const engine = localEngine({ dataDirectory, request: requestOverSocket })
  assert(kind === 'volume' || kind === 'database', `nobody knows how to destroy ${object}`)
  if (kind === 'database') await untilGone(engine, name, clock)
  await engine.discard(`${kind}s/${name}`)
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
  const ground = { loaded, dataDirectory, version, controlUrl }
  return {
    capabilities: (context, tokenOf) => capabilities(ground, context, tokenOf),
    services: Object.keys(loaded.environment.services),
    bindings: (context) =>
      bindPlans({
        loaded,
        readAgain: () => readAgain(loaded, dataDirectory),
        accept: (fresh) => keepAccepted(dataDirectory, fresh),
        context,
        destroy: (object) => destroyObject(object, dataDirectory, context.clock),
        endControl,
      }),
    people,
    retention: {
      maxAgeMs: parseDuration(timeline.keepFor) ?? 0,
      maxSizeBytes: parseSize(timeline.keepAtMost) ?? 0,
    },
    settings,
  }
}
