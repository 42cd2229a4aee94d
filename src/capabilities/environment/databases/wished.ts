import type { Specification } from '../../../contracts/supervisor.ts'
import { contentHash } from '../../../kernel/std/index.ts'
import { serviceConfig, type ServiceConfig } from '../config.ts'
import type { DatabaseProvider, ManagedDatabase } from '../ports.ts'
import type { Wish } from '../wish/index.ts'
import { databaseVolume, type DatabaseConfig } from './config.ts'
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

/** What a server finds where it runs: programs and accounts of this machine, or an image and a volume. */
function whereItRuns(
  { name, record: { container } }: KnownDatabase,
  { database, hostVariables, own }: Surroundings,
): Pick<Specification, 'variables'> & Partial<Specification> {
  const { place, port } = database
  if (container !== null) {
    return {
      variables: own,
      image: container.imageId,
      mounts: { [databaseVolume(name)]: place },
      published: port,
    }
  }
  const ordinary = variables.flatMap((variable) => {
    const value = hostVariables[variable]
    return value === undefined ? [] : [[variable, value] as const]
  })
  return {
    variables: { ...Object.fromEntries(ordinary), ...own },
    // It becomes the account of its server by itself, after it has given it its place.
    user: 'root',
    // Who writes down on SIGTERM what it has, still finds its database.
    outlives: true,
  }
}

interface Surroundings {
  readonly database: ManagedDatabase
  readonly hostVariables: Readonly<Record<string, string>>
  /** Variables that the server is given. */
  readonly own: Record<string, string>
}

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
  const specification = {
    service: name,
    release: '',
    command: [...start.command],
    directory: '/',
    port: { fixed: database.port },
    restarts: true,
    stopTimeoutMs: config.stopTimeout,
    ...(start.stopSignal === undefined ? {} : { stopSignal: start.stopSignal }),
    mayExpose: false,
    memoryMiB: config.resources.memoryMiB ?? null,
    cpus: config.resources.cpus ?? null,
    ...whereItRuns(known, { database, hostVariables, own: { ...start.variables } }),
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
