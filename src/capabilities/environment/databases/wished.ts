import { contentHash } from '../../../kernel/std/index.ts'
import { serviceConfig, type ServiceConfig } from '../config.ts'
import type { DatabaseProvider } from '../ports.ts'
import type { Wish } from '../wish/index.ts'
import type { DatabaseConfig } from './config.ts'
import { managedDatabase, type KnownDatabase } from './managed.ts'

const variables = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const

/** Never two at once on the same files. */
const inPlace = {
  inPlace: true,
  surge: 1,
  canaries: 1,
  share: null,
  judgeForMs: 0,
  errorMargin: 0,
  p95Factor: 1,
  drainMs: 0,
} as const

/** The service that a database server is to the engine; null: nothing runs for it. */
export function wishedDatabase(
  known: KnownDatabase,
  provider: DatabaseProvider | null,
  hostVariables: Readonly<Record<string, string>>,
): Wish | null {
  const database = managedDatabase(known)
  if (database === null || provider === null) return null
  const { name, config } = known
  const start = provider.start(database)
  const ordinary = variables.flatMap((variable) => {
    const value = hostVariables[variable]
    return value === undefined ? [] : [[variable, value] as const]
  })
  const specification = {
    service: name,
    release: '',
    command: [...start.command],
    directory: '/',
    variables: { ...Object.fromEntries(ordinary), ...start.variables },
    port: { fixed: database.port },
    restarts: true,
    stopTimeoutMs: config.stopTimeout,
    // It becomes the account of its server by itself, after it has given it its place.
    user: 'root',
    ...(start.stopSignal === undefined ? {} : { stopSignal: start.stopSignal }),
    mayExpose: false,
    memoryMiB: config.resources.memoryMiB ?? null,
    cpus: config.resources.cpus ?? null,
  }
  return {
    name,
    hash: contentHash(specification),
    specification,
    replicas: 1,
    listens: true,
    health: null,
    startTimeoutMs: config.startTimeout,
    needs: [],
    rollout: inPlace,
    pending: false,
  }
}

/** A database as one watches it: like a service. */
export function asService({ engine, startTimeout }: DatabaseConfig, address: string | null): ServiceConfig {
  const service = { ...serviceConfig.parse({ command: [engine] }), startTimeout }
  return address === null ? service : { ...service, command: undefined, address }
}
