import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import type { Finding } from '../../../kernel/capability/index.ts'
import type {
  DatabaseHost,
  DatabasePrograms,
  DatabaseProvider,
  DatabaseStore,
  EnvironmentPorts,
} from '../ports.ts'
import { isManaged, type DatabaseConfig, type DatabasesConfig } from './config.ts'
import { findUnusableImage } from './contained.ts'
import { externalUrl, type KnownDatabase } from './managed.ts'

/** What is looked at to find troubles with databases. */
export interface DatabaseGround {
  readonly providers: EnvironmentPorts['databaseProviders']
  /** Null: nothing was made yet, or it is not known where. */
  readonly store: Pick<DatabaseStore, 'read'> | null
  /** Null: database servers are programs of this machine. */
  readonly host: DatabaseHost | null
  readonly hostVariables: Readonly<Record<string, string>>
}

/** What the file says of data that are there. */
interface Claimed extends Pick<KnownDatabase, 'name' | 'config'> {
  /** Null: there are none. */
  readonly record: DatabaseRecord | null
}

/** Why data and file do not go together; undefined: they do. */
export function findIncompatible(
  { name, config, record }: Claimed,
  isContained: boolean,
): Finding | undefined {
  if (record === null) return undefined
  const { engine, version = record.major } = config
  const isSame = engine === record.engine && (engine === 'sqlite' || version === record.major)
  if (!isSame) return otherData(name, config, record)
  if (engine === 'sqlite' || isContained === (record.container !== null)) return undefined
  const [there, wanted] = isContained ? [onMachine, onVolume] : [onVolume, onMachine]
  return {
    severity: 'critical',
    path: `databases.${name}`,
    message: `the data of "${name}" are ${there}, and with this engine they would be ${wanted}; they were not touched`,
    hint: beside(name),
  }
}

const onMachine = 'in a directory of this machine'
const onVolume = 'on a volume of Docker'
const beside = (name: string): string =>
  `name a new database beside it, take the data over with a dump, and then take "${name}" out of the file`

function otherData(name: string, { engine, version = '' }: DatabaseConfig, record: DatabaseRecord): Finding {
  const [before, after] = [`${record.engine} ${record.major}`.trim(), `${engine} ${version}`.trim()]
  return {
    severity: 'critical',
    path: `databases.${name}.${engine === record.engine ? 'version' : 'engine'}`,
    message: `the data of "${name}" are of ${before}, and the file says ${after}; they were not touched`,
    hint: beside(name),
  }
}

/** The programs that a database is run with; undefined: they are not installed. */
export function programsFor(
  found: readonly DatabasePrograms[],
  major: string | undefined,
): DatabasePrograms | undefined {
  return found.find((programs) => major === undefined || programs.major === major)
}

async function ofManaged(
  name: string,
  config: DatabaseConfig,
  { providers, store, host }: DatabaseGround,
): Promise<readonly Finding[]> {
  const record = (await store?.read(name)) ?? null
  const incompatible = findIncompatible({ name, config, record }, host !== null)
  if (incompatible !== undefined) return [incompatible]
  if (config.engine === 'sqlite') return []
  if (host !== null) {
    const ground = { record, provider: providers[config.engine], host }
    const found = await findUnusableImage(name, config, ground)
    return found === undefined ? [] : [found]
  }
  return findNoPrograms(name, { config, major: config.version ?? record?.major }, providers[config.engine])
}

async function findNoPrograms(
  name: string,
  { config, major }: { readonly config: DatabaseConfig; readonly major: string | undefined },
  provider: DatabaseProvider,
): Promise<readonly Finding[]> {
  const found = await provider.find()
  if (programsFor(found, major) !== undefined) return []
  const wanted = major === undefined ? config.engine : `${config.engine} ${major}`
  const there = found.map(({ version }) => version).join(', ')
  return [
    {
      severity: 'critical',
      path: `databases.${name}.${config.version === undefined ? 'engine' : 'version'}`,
      message: `the programs of ${wanted} are not installed${there === '' ? '' : `, only ${there}`}`,
      hint: `install them: apt-get install ${provider.packageOf(major ?? null)}`,
    },
  ]
}

function ofExternal(name: string, config: DatabaseConfig, ground: DatabaseGround): readonly Finding[] {
  const { urlVariable } = config
  const url = externalUrl(config, ground.hostVariables)
  if (urlVariable === undefined || (url !== null && URL.canParse(url))) return []
  return [
    {
      severity: 'critical',
      path: `databases.${name}.urlVariable`,
      message: `the variable ${urlVariable} ${url === null ? 'is not set' : 'holds no URL'}`,
      hint: `set it before starting, as ${urlVariable}=... holdfast up`,
    },
  ]
}

/** What keeps the databases of a file from running here; looks, never touches. */
export async function findDatabaseTroubles(
  databases: DatabasesConfig,
  ground: DatabaseGround,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(databases).map(async ([name, config]) =>
      isManaged(config) ? ofManaged(name, config, ground) : ofExternal(name, config, ground),
    ),
  )
  return found.flat()
}
