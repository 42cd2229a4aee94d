import { lookUp } from '../../../kernel/std/index.ts'
import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import type { ManagedDatabase } from '../ports.ts'
import { namesOf, type DatabaseConfig, type DatabaseReference, type DatabasesConfig } from './config.ts'

/** A database of the file with what was chosen once for it. */
export interface KnownDatabase {
  readonly name: string
  readonly config: DatabaseConfig
  readonly record: DatabaseRecord
  /** Absolute directory of its files. */
  readonly place: string
  /** Version of the programs that the next start runs; null: there are none. */
  readonly installed: string | null
}

/** As its provider is told of it; null: nothing runs for it, it is a file. */
export function managedDatabase({ name, config, record, place }: KnownDatabase): ManagedDatabase | null {
  const { port, major, programs, password, adminPassword } = record
  if (port === null) return null
  const { settings } = config
  return {
    name,
    place,
    port,
    major,
    programs,
    password,
    adminPassword,
    settings,
    names: namesOf(name, config),
  }
}

/** The URL of a database of SQLite. */
export function fileUrl(place: string, name: string): string {
  return new URL(`file:${place}/${name}.db`).href
}

/** The address of a database that somebody else runs; null: the variable that has it is not set. */
export function externalUrl(
  { url, urlVariable }: DatabaseConfig,
  hostVariables: Readonly<Record<string, string>>,
): string | null {
  if (url !== undefined) return url
  return lookUp(hostVariables, urlVariable ?? '') ?? null
}

/** The same address for another database in it. */
export function urlFor(url: string, name: string | undefined): string {
  const parsed = name === undefined ? null : URL.parse(url)
  if (parsed === null || name === undefined) return url
  parsed.pathname = `/${encodeURIComponent(name)}`
  return parsed.href
}

/** An address without user, password and parameters. */
export function plainAddress(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null) return ''
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`
}

/** What stands in an answer where a password would. */
export const hiddenPassword = '***'

/** An address with its user, but without password and parameters, which may hold one; empty: it is none. */
export function hiddenUrl(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null) return ''
  const { username, password } = parsed
  const user = password === '' ? username : `${username}:${hiddenPassword}`
  return `${parsed.protocol}//${user === '' ? '' : `${user}@`}${parsed.host}${parsed.pathname}`
}

const ports: Readonly<Record<string, number>> = { postgres: 5432, mariadb: 3306, redis: 6379 }

/** Where a connection to it can be tried, as http://host:port; null: it has no host (a socket, a file). */
export function probeOrigin({ engine }: Pick<DatabaseConfig, 'engine'>, url: string): string | null {
  const parsed = URL.parse(url)
  const port = ports[engine]
  if (parsed === null || port === undefined || parsed.hostname === '') return null
  return `http://${parsed.hostname}:${parsed.port === '' ? port : parsed.port}`
}

/** What stands for a URL where no database was made: enough to see that one variable is not another. */
export function namedUrl(
  databases: DatabasesConfig,
  { database, name }: DatabaseReference,
  hostVariables: Readonly<Record<string, string>>,
): string {
  const config = lookUp(databases, database)
  const url = config === undefined ? null : externalUrl(config, hostVariables)
  return url === null ? `${config?.engine ?? 'database'}://${database}/${name ?? ''}` : urlFor(url, name)
}
