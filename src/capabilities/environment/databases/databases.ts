import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { assert, lookUp, plainError, randomToken } from '../../../kernel/std/index.ts'
import type { ServicesConfig } from '../config.ts'
import type { DatabaseProvider, EnvironmentPorts, ProbeResult } from '../ports.ts'
import type { EnvironmentView } from '../view.ts'
import type { Wish } from '../wish/index.ts'
import {
  isManaged,
  namesOf,
  type DatabaseConfig,
  type DatabaseReference,
  type DatabasesConfig,
} from './config.ts'
import {
  externalUrl,
  fileUrl,
  managedDatabase,
  plainAddress,
  probeOrigin,
  urlFor,
  type KnownDatabase,
} from './managed.ts'
import { findIncompatible, programsFor } from './troubles.ts'
import { asService, wishedDatabase } from './wished.ts'

/** What databases stand on. */
export interface DatabasesParts {
  readonly databases: DatabasesConfig
  readonly context: Pick<Context, 'clock' | 'random' | 'record'>
  readonly view: () => EnvironmentView
  readonly ports: Pick<EnvironmentPorts, 'databases' | 'databaseProviders' | 'prober' | 'hostVariables'>
}

/** The databases of an environment. */
export interface Databases {
  /**
   * Chooses port and passwords of those that have none yet. Has to come first.
   * Errors: `environment.database-record-unreadable`, the system's.
   */
  prepare(): Promise<void>
  /** The servers that shall run. */
  wished(): readonly Wish[]
  /** Those that are watched, as services by name. */
  readonly services: ServicesConfig
  /** What a variable that refers to a database holds. */
  urlOf(reference: DatabaseReference): string
  /**
   * Whether a database can be used: it answers, and its users and databases are there, which are made when it first
   * does. `since` is when its process was started.
   */
  probe(name: string, since: number | null): Promise<ProbeResult>
  /** Where it answers or lies, without user and password. */
  addressOf(name: string): string
  /** Bytes on disk of one that Holdfast runs; null: not known. */
  sizeBytes(name: string): Promise<number | null>
  /** What a person should know: a newer minor version waits for a restart, say. */
  notes(): readonly string[]
}

const passwordBytes = 24
const probeTimeoutMs = 2000
const well: ProbeResult = { healthy: true, detail: '' }
const ill = (detail: string): ProbeResult => ({ healthy: false, detail })

/** Creates the databases of an environment; nothing is made before `prepare`. */
export function createDatabases(parts: DatabasesParts): Databases {
  const { databases, context, view, ports } = parts
  const { hostVariables } = ports
  const known = new Map<string, KnownDatabase>()
  const installed = new Map<string, string>()

  const providerOf = ({ engine }: Pick<DatabaseConfig, 'engine'>): DatabaseProvider | null =>
    engine === 'sqlite' ? null : ports.databaseProviders[engine]

  const knownOf = (name: string): KnownDatabase => {
    const found = known.get(name)
    assert(found !== undefined, `database ${name} was not prepared`)
    return found
  }

  const choose = async (name: string, config: DatabaseConfig): Promise<DatabaseRecord> => {
    const provider = providerOf(config)
    const programs = provider === null ? null : programsFor(await provider.find(), config.version)
    const record = {
      engine: config.engine,
      major: programs?.major ?? config.version ?? '',
      programs: programs?.directory ?? '',
      port: provider === null ? null : await ports.databases.freePort(),
      password: randomToken(context.random, passwordBytes),
      adminPassword: randomToken(context.random, passwordBytes),
      createdAt: context.clock.now(),
    }
    await ports.databases.create(name, record)
    const data = { database: name, engine: config.engine, version: programs?.version ?? '' }
    await context.record(facts.databasePrepared, data, { subject: `service:${name}` })
    return record
  }

  const prepareOne = async (name: string, config: DatabaseConfig): Promise<void> => {
    const record = (await ports.databases.read(name)) ?? (await choose(name, config))
    const programs = programsFor((await providerOf(config)?.find()) ?? [], record.major)
    if (programs !== undefined) installed.set(name, programs.version)
    const place = ports.databases.placeOf(name)
    if (config.engine === 'sqlite') await ports.databases.ensurePlace(name)
    known.set(name, {
      name,
      config,
      place,
      record: { ...record, programs: programs?.directory ?? record.programs },
    })
  }

  /** Says that a server is ready, once for each of its lives, and that it is another version than before. */
  const sayReady = async (one: KnownDatabase, version: string, since: number): Promise<void> => {
    const { name, config } = one
    const { engine } = config
    const extras = { subject: `service:${name}` }
    const before = lookUp(view().databases, name)?.version ?? version
    if (before !== version) {
      await context.record(facts.databaseUpgraded, { database: name, engine, version, before }, extras)
    }
    const seconds = Math.round(Math.max(0, context.clock.now() - since) / 100) / 10
    const names = engine === 'redis' ? [] : [...namesOf(name, config)]
    await context.record(
      facts.databaseReady,
      { database: name, engine, version, seconds, since, names },
      extras,
    )
  }

  const isReady = ({ name, config }: KnownDatabase, since: number): boolean => {
    const ready = lookUp(view().databases, name)
    const names = config.engine === 'redis' ? [] : namesOf(name, config)
    return ready?.since === since && names.every((one) => ready.names.includes(one))
  }

  const probeManaged = async (one: KnownDatabase, since: number): Promise<ProbeResult> => {
    const database = managedDatabase(one)
    const provider = providerOf(one.config)
    if (database === null || provider === null) return well
    const answer = await provider.probe(database, probeTimeoutMs)
    if (!answer.healthy || isReady(one, since)) return answer
    try {
      await sayReady(one, await provider.provision(database), since)
      return well
    } catch (error) {
      return ill(plainError(error).message)
    }
  }

  const probeExternal = (config: DatabaseConfig): Promise<ProbeResult> => {
    const url = externalUrl(config, hostVariables)
    if (url === null) return Promise.resolve(ill(`the variable ${config.urlVariable} is not set`))
    const origin = probeOrigin(config, url)
    return origin === null ? Promise.resolve(well) : ports.prober.probe(origin, null, probeTimeoutMs)
  }

  const addressOf = (name: string): string => {
    const config = lookUp(databases, name)
    if (config === undefined) return ''
    if (!isManaged(config)) return plainAddress(externalUrl(config, hostVariables) ?? '')
    const { record, place } = knownOf(name)
    return record.port === null ? place : `127.0.0.1:${record.port}`
  }

  const watched = Object.entries(databases)
    .filter(([, config]) => config.engine !== 'sqlite')
    .map(([name, config]) => [name, asService(config, isManaged(config) ? null : addressOf(name))] as const)

  return {
    prepare: async () => {
      for (const [name, config] of Object.entries(databases)) {
        if (isManaged(config)) await prepareOne(name, config)
      }
    },
    wished: () =>
      [...known.values()].flatMap((one) => {
        // What does not fit its data is not started on them; a finding has said so before.
        const fits = findIncompatible(one.name, one.config, one.record) === undefined
        const service = fits ? wishedDatabase(one, providerOf(one.config), hostVariables) : null
        return service === null ? [] : [service]
      }),
    services: Object.fromEntries(watched),
    urlOf: ({ database, name }) => {
      const config = lookUp(databases, database)
      assert(config !== undefined, `there is no database ${database}`)
      if (!isManaged(config)) return urlFor(externalUrl(config, hostVariables) ?? '', name)
      const one = knownOf(database)
      const inside = name ?? namesOf(database, config)[0] ?? database
      const managed = managedDatabase(one)
      return managed === null ? fileUrl(one.place, inside) : (providerOf(config)?.url(managed, inside) ?? '')
    },
    probe: async (name, since) => {
      const config = lookUp(databases, name)
      if (config === undefined) return ill('the file does not name it')
      return isManaged(config) ? probeManaged(knownOf(name), since ?? 0) : probeExternal(config)
    },
    addressOf,
    sizeBytes: async (name) => {
      const one = knownOf(name)
      const managed = managedDatabase(one)
      if (managed === null) return ports.databases.sizeBytes(name)
      return (await providerOf(one.config)?.sizeBytes(managed)) ?? null
    },
    notes: () =>
      [...known.keys()].flatMap((name) => {
        const [runs, next] = [lookUp(view().databases, name)?.version, installed.get(name)]
        if (runs === undefined || next === undefined || runs === next) return []
        return [
          `database ${name} runs ${runs}; ${next} is installed, and runs after "holdfast restart ${name}"`,
        ]
      }),
  }
}
