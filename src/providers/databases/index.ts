import type { DatabaseProvider, DatabaseServer, RunInside } from '../../capabilities/environment/ports.ts'
import { clientWith } from './client.ts'
import { mariadb } from './mariadb.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'

export { databaseDirectories } from './store.ts'

const nowhere: RunInside = () => Promise.resolve({ code: null, out: '', err: 'nothing runs in a container' })

/** Every kind of database server that Holdfast runs; `searchPath` as PATH; absent: none of them runs in a container. */
export function databaseServers(
  searchPath: string,
  runInside: RunInside = nowhere,
): Readonly<Record<DatabaseServer, DatabaseProvider>> {
  const client = clientWith(runInside)
  return {
    postgres: postgres(searchPath, client),
    mariadb: mariadb(searchPath, client),
    redis: redis(searchPath, client),
  }
}
