import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { contentHash, randomToken } from '../../../kernel/std/index.ts'
import type { DatabaseHost, DatabaseProvider, EnvironmentPorts } from '../ports.ts'
import { databaseVolume, type DatabaseConfig } from './config.ts'
import { findHome, lookAtImage, renewContainer } from './contained.ts'
import { providerOf, type KnownDatabase } from './managed.ts'
import { programsFor } from './troubles.ts'

/** What databases are prepared with. */
export interface PrepareGround {
  readonly context: Pick<Context, 'clock' | 'random' | 'record'>
  readonly ports: Pick<EnvironmentPorts, 'databases' | 'databaseHost' | 'databaseProviders' | 'volumes'>
}

/** A database whose server runs in a container. */
interface Contained {
  readonly name: string
  readonly config: DatabaseConfig
  readonly provider: DatabaseProvider
  readonly host: DatabaseHost
}

const passwordBytes = 24

interface Chosen extends Pick<DatabaseRecord, 'engine' | 'major' | 'programs' | 'port' | 'container'> {
  /** In full. */
  readonly version: string
}

/** Keeps what was chosen, with passwords that nobody knows yet. */
async function keep(
  name: string,
  { engine, version, ...chosen }: Chosen,
  { context, ports }: PrepareGround,
): Promise<DatabaseRecord> {
  const record = {
    engine,
    ...chosen,
    password: randomToken(context.random, passwordBytes),
    adminPassword: randomToken(context.random, passwordBytes),
    createdAt: context.clock.now(),
  }
  await ports.databases.create(name, record)
  const data = { database: name, engine, version }
  await context.record(facts.databasePrepared, data, { subject: `service:${name}` })
  return record
}

async function prepareHere(
  name: string,
  config: DatabaseConfig,
  ground: PrepareGround,
): Promise<KnownDatabase> {
  const { databases } = ground.ports
  const { engine } = config
  const installed = (await providerOf(config, ground.ports)?.find()) ?? []
  const choose = async (): Promise<DatabaseRecord> => {
    const programs = programsFor(installed, config.version)
    const chosen = {
      engine,
      version: programs?.version ?? '',
      major: programs?.major ?? config.version ?? '',
      programs: programs?.directory ?? '',
      port: engine === 'sqlite' ? null : await databases.freePort([]),
      container: null,
    }
    return keep(name, chosen, ground)
  }
  const record = (await databases.read(name)) ?? (await choose())
  if (engine === 'sqlite') await databases.ensurePlace(name)
  const programs = programsFor(installed, record.major)
  return {
    name,
    config,
    record: { ...record, programs: programs?.directory ?? record.programs },
    place: databases.placeOf(name),
    installed: programs?.version ?? null,
    isHome: true,
  }
}

/** Errors: `environment.database-image-unusable`, and those of the swarm when it is new. */
async function prepareContained(
  { name, config, provider, host }: Contained,
  ground: PrepareGround,
): Promise<KnownDatabase> {
  const { databases, volumes } = ground.ports
  const { engine, image = '' } = config
  const choose = async (): Promise<DatabaseRecord> => {
    const { takenPorts, ...home } = await findHome(host)
    const { major, ...looked } = await lookAtImage(config, { provider, host })
    const port = await databases.freePort(takenPorts)
    const container = { ...home, image, ...looked }
    return keep(name, { engine, version: looked.version, major, programs: '', port, container }, ground)
  }
  const record = (await databases.read(name)) ?? (await choose())
  const container = await renewContainer({ config, record, provider, host })
  const isHome = container !== null || record.container === null
  const next = isHome ? { ...record, container } : record
  if (contentHash(next) !== contentHash(record)) await databases.update(name, next)
  const place = volumes.directoryOf(databaseVolume(name))
  return { name, config, record: next, place, installed: next.container?.version ?? null, isHome }
}

/**
 * Chooses port and passwords for a database that has none yet, and finds its programs.
 * Errors: `environment.database-record-unreadable`, `environment.database-image-unusable`, those of the swarm when it
 * is new, the system's.
 */
export async function prepareDatabase(
  name: string,
  config: DatabaseConfig,
  ground: PrepareGround,
): Promise<KnownDatabase> {
  const provider = providerOf(config, ground.ports)
  const host = ground.ports.databaseHost
  if (provider === null || host === null) return prepareHere(name, config, ground)
  return prepareContained({ name, config, provider, host }, ground)
}
