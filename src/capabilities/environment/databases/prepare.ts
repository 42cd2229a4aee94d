import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { randomToken } from '../../../kernel/std/index.ts'
import type { DatabasePrograms, DatabaseProvider, EnvironmentPorts } from '../ports.ts'
import type { DatabaseConfig } from './config.ts'
import type { KnownDatabase } from './managed.ts'
import { programsFor } from './troubles.ts'

/** What databases are prepared with. */
export interface PrepareGround {
  readonly context: Pick<Context, 'clock' | 'random' | 'record'>
  readonly ports: Pick<EnvironmentPorts, 'databases' | 'databaseProviders'>
}

const passwordBytes = 24

/** The provider of an engine; null: nothing runs for it. */
export function providerOf(
  { engine }: Pick<DatabaseConfig, 'engine'>,
  { databaseProviders }: Pick<EnvironmentPorts, 'databaseProviders'>,
): DatabaseProvider | null {
  return engine === 'sqlite' ? null : databaseProviders[engine]
}

async function choose(
  name: string,
  config: DatabaseConfig,
  { context, ports, found }: PrepareGround & { readonly found: readonly DatabasePrograms[] },
): Promise<DatabaseRecord> {
  const { engine } = config
  const programs = programsFor(found, config.version)
  const record = {
    engine,
    major: programs?.major ?? config.version ?? '',
    programs: programs?.directory ?? '',
    port: engine === 'sqlite' ? null : await ports.databases.freePort(),
    password: randomToken(context.random, passwordBytes),
    adminPassword: randomToken(context.random, passwordBytes),
    createdAt: context.clock.now(),
  }
  await ports.databases.create(name, record)
  const data = { database: name, engine, version: programs?.version ?? '' }
  await context.record(facts.databasePrepared, data, { subject: `service:${name}` })
  return record
}

/**
 * Chooses port and passwords for a database that has none yet, and finds its programs.
 * Errors: `environment.database-record-unreadable`, the system's.
 */
export async function prepareDatabase(
  name: string,
  config: DatabaseConfig,
  ground: PrepareGround,
): Promise<KnownDatabase> {
  const { databases } = ground.ports
  const found = (await providerOf(config, ground.ports)?.find()) ?? []
  const record = (await databases.read(name)) ?? (await choose(name, config, { ...ground, found }))
  if (config.engine === 'sqlite') await databases.ensurePlace(name)
  const installed = programsFor(found, record.major)
  const programs = installed?.directory ?? record.programs
  return {
    name,
    config,
    record: { ...record, programs },
    place: databases.placeOf(name),
    installed: installed?.version ?? null,
  }
}
