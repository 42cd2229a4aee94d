import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { lookUp, plainError } from '../../../kernel/std/index.ts'
import type { DatabaseProvider, EnvironmentPorts, ManagedDatabase, ProbeResult } from '../ports.ts'
import type { EnvironmentView } from '../view.ts'
import { namesOf, type DatabaseConfig } from './config.ts'
import { externalUrl, managedDatabase, probeOrigin, providerOf, type KnownDatabase } from './managed.ts'

/** What is needed to look whether databases are ready. */
export interface ReadinessGround {
  readonly context: Pick<Context, 'clock' | 'record'>
  readonly view: () => EnvironmentView
  readonly ports: Pick<EnvironmentPorts, 'databaseProviders' | 'prober' | 'hostVariables'>
}

const probeTimeoutMs = 2000
const well: ProbeResult = { healthy: true, detail: '' }
const ill = (detail: string): ProbeResult => ({ healthy: false, detail })

const namesIn = ({ name, config }: KnownDatabase): readonly string[] =>
  config.engine === 'redis' ? [] : namesOf(name, config)

/** Whether the timeline has it that this life of a server got ready, with all that is to be in it. */
function isReady(one: KnownDatabase, since: number, view: EnvironmentView): boolean {
  const ready = lookUp(view.databases, one.name)
  return ready?.since === since && namesIn(one).every((name) => ready.names.includes(name))
}

/** Says that a server is ready, and that it is another version than before. */
async function sayReady(
  one: KnownDatabase,
  { version, since }: { readonly version: string; readonly since: number },
  { context, view }: ReadinessGround,
): Promise<void> {
  const about = { database: one.name, engine: one.config.engine, version }
  const extras = { subject: `service:${one.name}` }
  const before = lookUp(view().databases, one.name)?.version ?? version
  if (before !== version) await context.record(facts.databaseUpgraded, { ...about, before }, extras)
  const seconds = Math.round(Math.max(0, context.clock.now() - since) / 100) / 10
  const data = { ...about, seconds, since, names: [...namesIn(one)] }
  await context.record(facts.databaseReady, data, extras)
}

/** One in a container is asked inside; services reach it from outside. */
async function lookAt(
  database: ManagedDatabase,
  provider: DatabaseProvider,
  { ports }: ReadinessGround,
): Promise<ProbeResult> {
  const { host, port, isContained } = database
  const reached = isContained
    ? await ports.prober.probe(`http://${host}:${port}`, null, probeTimeoutMs)
    : well
  return reached.healthy ? provider.probe(database, probeTimeoutMs) : reached
}

/**
 * Whether a server that we run answers and its users and databases are there, which are made when it first does; said
 * once for each of its lives. `since` is when its process was started.
 */
export async function probeManaged(
  one: KnownDatabase,
  since: number,
  ground: ReadinessGround,
): Promise<ProbeResult> {
  const database = managedDatabase(one)
  const provider = providerOf(one.config, ground.ports)
  if (database === null || provider === null) return well
  const answer = await lookAt(database, provider, ground)
  if (!answer.healthy || isReady(one, since, ground.view())) return answer
  try {
    await sayReady(one, { version: await provider.provision(database), since }, ground)
    return well
  } catch (error) {
    return ill(plainError(error).message)
  }
}

/** Whether a connection can be opened to a database that somebody else runs. */
export async function probeExternal(config: DatabaseConfig, ground: ReadinessGround): Promise<ProbeResult> {
  const url = externalUrl(config, ground.ports.hostVariables)
  if (url === null) return ill(`the variable ${config.urlVariable} is not set`)
  const origin = probeOrigin(config, url)
  return origin === null ? well : ground.ports.prober.probe(origin, null, probeTimeoutMs)
}
