import type { DatabaseProvider, DatabaseServer } from '../../capabilities/environment/ports.ts'
import { mariadb } from './mariadb.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'

export { databaseDirectories } from './store.ts'

/** Every kind of database server that Holdfast runs; `searchPath` as PATH. */
export function databaseServers(searchPath: string): Readonly<Record<DatabaseServer, DatabaseProvider>> {
  return { postgres: postgres(searchPath), mariadb: mariadb(searchPath), redis: redis(searchPath) }
}
