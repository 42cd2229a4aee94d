import { z } from 'zod'
import {
  databaseEngine,
  databaseName,
  type DatabaseEngine,
} from '../../../contracts/environment/databases.ts'
import { duration, serviceName } from '../../../contracts/shapes.ts'

const protocols: Readonly<Record<DatabaseEngine, readonly string[]>> = {
  postgres: ['postgres', 'postgresql'],
  mariadb: ['mysql', 'mariadb'],
  redis: ['redis', 'rediss'],
  sqlite: ['file'],
}

/** What Holdfast sets itself: where the server listens, where its data lie, and with which password. */
const ours: Readonly<Record<DatabaseEngine, readonly string[]>> = {
  postgres: ['port', 'listen_addresses', 'unix_socket_directories', 'data_directory', 'hba_file'],
  mariadb: ['port', 'bind-address', 'socket', 'datadir', 'init-file', 'pid-file', 'skip-networking', 'user'],
  redis: ['port', 'bind', 'dir', 'requirepass', 'daemonize', 'set-proc-title', 'protected-mode', 'include'],
  sqlite: [],
}

/** Who refers to a database in a variable finds its URL there. */
export const databaseReference = z.strictObject({
  database: serviceName.describe('which database of the file'),
  name: databaseName.optional().describe('which of its `names`; default: the first'),
})

/** Value of a variable: a text, or the URL of a database. */
export const variableValue = z.union([z.string(), databaseReference])

const settings = z
  .record(
    z.string().regex(/^[a-z][a-z0-9_.-]*$/, 'lower-case letters, digits, dashes, dots and underscores'),
    z.string().regex(/^[^\r\n]*$/, 'one line'),
  )
  .default({})

/** A database that Holdfast runs, or the address of one that somebody else runs. */
const databaseConfig = z
  .strictObject({
    engine: databaseEngine.describe('what kind of database it is'),
    url: z
      .string()
      .optional()
      .describe('address of a database that somebody else runs; absent: Holdfast runs it'),
    urlVariable: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and underscores')
      .optional()
      .describe('the same, read from a variable of `holdfast up`, so that no password stands in the file'),
    image: z
      .string()
      .min(1)
      .optional()
      .describe(
        'on Docker Swarm: the image with its server, as "postgres:15", which is on the node already; of one that somebody else runs: of the empty one that takes its place in a rebuild',
      ),
    version: z
      .string()
      .regex(/^\d+(\.\d+)?$/, 'a major version, as "15" or "10.11"')
      .optional()
      .describe('major version; default: the newest that is installed when it is first made'),
    names: z
      .array(databaseName)
      .min(1)
      .max(50)
      .optional()
      .describe('databases in it, which are made; default: one of its own name'),
    settings: settings.describe("settings of the server, by its own names, as { shared_buffers: '256MB' }"),
    resources: z
      .strictObject({
        memoryMiB: z.number().int().min(64).optional().describe('memory, in MiB; needs cgroups'),
        cpus: z.number().positive().max(1024).optional().describe('cores, as 0.5; needs cgroups'),
      })
      .default({})
      .describe('what it may use'),
    startTimeout: duration
      .prefault('1min')
      .describe('how long it may take until it answers, also after a crash'),
    stopTimeout: duration
      .prefault('1min')
      .describe('how long it may take to write down what it has before it is killed'),
  })
  .superRefine((database, context) => {
    for (const { path, message } of mistakesIn(database)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })

interface Mistake {
  readonly path: readonly string[]
  readonly message: string
}

interface Described {
  readonly engine: DatabaseEngine
  readonly url?: string | undefined
  readonly urlVariable?: string | undefined
  readonly image?: string | undefined
  readonly names?: readonly string[] | undefined
  readonly settings: Readonly<Record<string, string>>
}

const mistakesIn = (database: Described): readonly Mistake[] => [
  ...mistakesInImage(database),
  ...mistakesInAddress(database),
  ...mistakesInServer(database),
]

function* mistakesInAddress({ engine, url, urlVariable }: Described): Generator<Mistake> {
  if (url === undefined) return
  if (urlVariable !== undefined) {
    yield { path: ['urlVariable'], message: 'needs either "url" or "urlVariable", not both' }
  }
  const protocol = URL.parse(url)?.protocol.slice(0, -1) ?? ''
  if (!protocols[engine].includes(protocol)) {
    yield { path: ['url'], message: `an address of ${engine} begins with ${protocols[engine][0]}:` }
  }
}

function* mistakesInImage({ engine, image }: Described): Generator<Mistake> {
  if (image === undefined || engine !== 'sqlite') return
  yield { path: ['image'], message: 'SQLite is a file, and has no server in an image' }
}

function* mistakesInServer({ engine, names, settings: set }: Described): Generator<Mistake> {
  if (engine === 'redis' && names !== undefined) {
    yield { path: ['names'], message: 'databases of Redis have numbers, not names' }
  }
  for (const key of Object.keys(set)) {
    const path = ['settings', key]
    if (engine === 'sqlite') yield { path, message: 'SQLite has no server to set' }
    if (ours[engine].includes(key)) yield { path, message: 'Holdfast sets this itself' }
  }
}

/** The databases of the environment by name. */
export const databasesConfig = z
  .record(serviceName, databaseConfig)
  .default({})
  .describe('databases that Holdfast runs, and addresses of those that others run, by name')

/** One database as parsed. */
export type DatabaseConfig = z.output<typeof databaseConfig>

/** All databases as parsed. */
export type DatabasesConfig = Readonly<Record<string, DatabaseConfig>>

/** A reference to a database as parsed. */
export type DatabaseReference = z.output<typeof databaseReference>

/** Variables as the file names them. */
export type VariableValues = Readonly<Record<string, z.output<typeof variableValue>>>

/** Whether Holdfast runs it, or keeps its file. */
export function isManaged({ url, urlVariable }: Pick<DatabaseConfig, 'url' | 'urlVariable'>): boolean {
  return url === undefined && urlVariable === undefined
}

/** The databases in it, the default first. */
export function namesOf(name: string, { names }: Pick<DatabaseConfig, 'names'>): readonly string[] {
  return names ?? [name]
}

/** Name of the volume in which the files of a database are; no volume of the file can have it. */
export function databaseVolume(name: string): string {
  return `database.${name}`
}
