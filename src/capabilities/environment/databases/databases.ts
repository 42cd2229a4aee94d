import type { Context } from '../../../kernel/capability/index.ts'
import { assert, lookUp } from '../../../kernel/std/index.ts'
import type { ServicesConfig } from '../config.ts'
import type { EnvironmentPorts, ProbeResult } from '../ports.ts'
import type { EnvironmentView } from '../view.ts'
import type { Wish } from '../wish/index.ts'
import { isManaged, namesOf, type DatabaseReference, type DatabasesConfig } from './config.ts'
import {
  externalUrl,
  fileUrl,
  hiddenPassword,
  hiddenUrl,
  managedDatabase,
  plainAddress,
  urlFor,
  type KnownDatabase,
} from './managed.ts'
import { prepareDatabase, providerOf } from './prepare.ts'
import { probeExternal, probeManaged } from './readiness.ts'
import { findIncompatible } from './troubles.ts'
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
  /** Which users and databases of one that Holdfast runs are not there; null: not known. */
  missing(name: string): Promise<readonly string[] | null>
  /** The URL of its default database with the password hidden; empty: not known. */
  shownUrlOf(name: string): string
  /** When it was given its place; null: somebody else runs it. */
  createdAtOf(name: string): number | null
  /** Bytes on disk of one that Holdfast runs; null: not known. */
  sizeBytes(name: string): Promise<number | null>
  /** What a person should know: a newer minor version waits for a restart, say. */
  notes(): readonly string[]
}

/** Creates the databases of an environment; nothing is made before `prepare`. */
export function createDatabases(parts: DatabasesParts): Databases {
  return new DatabaseBook(parts)
}

class DatabaseBook implements Databases {
  readonly #parts: DatabasesParts
  readonly #known = new Map<string, KnownDatabase>()
  readonly services: ServicesConfig

  constructor(parts: DatabasesParts) {
    this.#parts = parts
    const watched = Object.entries(parts.databases).filter(([, { engine }]) => engine !== 'sqlite')
    const services = watched.map(
      ([name, config]) => [name, asService(config, isManaged(config) ? null : this.addressOf(name))] as const,
    )
    this.services = Object.fromEntries(services)
  }

  async prepare(): Promise<void> {
    for (const [name, config] of Object.entries(this.#parts.databases)) {
      if (isManaged(config)) this.#known.set(name, await prepareDatabase(name, config, this.#parts))
    }
  }

  wished(): readonly Wish[] {
    const { ports } = this.#parts
    return [...this.#known.values()].flatMap((one) => {
      // What does not fit its data is not started on them; a finding has said so before.
      const fits = findIncompatible(one.name, one.config, one.record) === undefined
      const wish = fits ? wishedDatabase(one, providerOf(one.config, ports), ports.hostVariables) : null
      return wish === null ? [] : [wish]
    })
  }

  urlOf({ database, name }: DatabaseReference): string {
    const { databases, ports } = this.#parts
    const config = lookUp(databases, database)
    assert(config !== undefined, `there is no database ${database}`)
    if (!isManaged(config)) return urlFor(externalUrl(config, ports.hostVariables) ?? '', name)
    const one = this.#knownOf(database)
    const inside = name ?? namesOf(database, config)[0] ?? database
    const managed = managedDatabase(one)
    return managed === null
      ? fileUrl(one.place, inside)
      : (providerOf(config, ports)?.url(managed, inside) ?? '')
  }

  async probe(name: string, since: number | null): Promise<ProbeResult> {
    const config = lookUp(this.#parts.databases, name)
    if (config === undefined) return { healthy: false, detail: 'the file does not name it' }
    return isManaged(config)
      ? probeManaged(this.#knownOf(name), since ?? 0, this.#parts)
      : probeExternal(config, this.#parts)
  }

  addressOf(name: string): string {
    const { databases, ports } = this.#parts
    const config = lookUp(databases, name)
    if (config === undefined) return ''
    if (!isManaged(config)) return plainAddress(externalUrl(config, ports.hostVariables) ?? '')
    const { record, place } = this.#knownOf(name)
    return record.port === null ? place : `127.0.0.1:${record.port}`
  }

  async missing(name: string): Promise<readonly string[] | null> {
    const one = this.#knownOf(name)
    const managed = managedDatabase(one)
    if (managed === null) return []
    return (await providerOf(one.config, this.#parts.ports)?.missing(managed)) ?? null
  }

  shownUrlOf(name: string): string {
    const config = lookUp(this.#parts.databases, name)
    if (config === undefined || !isManaged(config)) return hiddenUrl(this.urlOf({ database: name }))
    const database = managedDatabase(this.#knownOf(name))
    if (database === null) return this.urlOf({ database: name })
    const shown = { ...database, password: hiddenPassword }
    return providerOf(config, this.#parts.ports)?.url(shown, namesOf(name, config)[0] ?? name) ?? ''
  }

  createdAtOf(name: string): number | null {
    return this.#known.get(name)?.record.createdAt ?? null
  }

  async sizeBytes(name: string): Promise<number | null> {
    const { ports } = this.#parts
    const one = this.#knownOf(name)
    const managed = managedDatabase(one)
    if (managed === null) return ports.databases.sizeBytes(name)
    return (await providerOf(one.config, ports)?.sizeBytes(managed)) ?? null
  }

  notes(): readonly string[] {
    return [...this.#known.values()].flatMap(({ name, installed }) => {
      const runs = lookUp(this.#parts.view().databases, name)?.version
      if (runs === undefined || installed === null || runs === installed) return []
      const after = `runs after "holdfast restart ${name}"`
      return [`database ${name} runs ${runs}; ${installed} is installed, and ${after}`]
    })
  }

  #knownOf(name: string): KnownDatabase {
    const found = this.#known.get(name)
    assert(found !== undefined, `database ${name} was not prepared`)
    return found
  }
}
