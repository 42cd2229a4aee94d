import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { moment, nothing, serviceName } from '../shapes.ts'

/** Kinds of databases. */
export const databaseEngine = z.enum(['postgres', 'mariadb', 'redis', 'sqlite'])

/** Kinds of databases. */
export type DatabaseEngine = z.infer<typeof databaseEngine>

/** Name of a database within a server, or of a file of SQLite without its ending. */
export const databaseName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'letters, digits, dashes and underscores')

/** `<data>/databases/<name>/record.json`: what was chosen once for a database that Holdfast runs, and does not change. */
export const databaseRecord = z.strictObject({
  engine: databaseEngine,
  /** Major version of its data, as "15" or "10.11"; empty for SQLite. */
  major: z.string(),
  /** Absolute directory of its programs; empty: on PATH, or none. */
  programs: z.string(),
  /** Port on loopback; null: it does not listen. */
  port: z.number().int().min(1).max(65_535).nullable(),
  /** Of the user of the services. */
  password: z.string(),
  /** Of the user with which Holdfast makes roles and databases. */
  adminPassword: z.string(),
  createdAt: moment,
})

/** What was chosen once for a database that Holdfast runs. */
export type DatabaseRecord = z.infer<typeof databaseRecord>

const database = { database: serviceName, engine: databaseEngine }

/** Facts about databases. */
export const databaseFacts = {
  databasePrepared: declareFact({
    kind: 'environment.database-prepared',
    says: 'database {database} was given a place ({engine} {version})',
    severity: 'notice',
    data: z.strictObject({ ...database, version: z.string() }),
  }),
  databaseReady: declareFact({
    kind: 'environment.database-ready',
    says: 'database {database} ({engine} {version}) answers, {seconds} s after its start',
    severity: 'notice',
    data: z.strictObject({
      ...database,
      version: z.string(),
      seconds: z.number(),
      since: moment.describe('when the process that answers was started'),
      names: z.array(databaseName).describe('databases that are there'),
    }),
  }),
  databaseUpgraded: declareFact({
    kind: 'environment.database-upgraded',
    says: 'database {database} runs {engine} {version} now, {before} until then',
    severity: 'notice',
    data: z.strictObject({ ...database, version: z.string(), before: z.string() }),
  }),
} as const

const user = z.strictObject({
  object: z.string().describe('as "service web" or "job migrate"'),
  variable: z.string().describe('in which it finds the URL'),
  name: z.string().nullable().describe('which database in it; null: the default'),
})

const databaseView = z.strictObject({
  name: serviceName,
  engine: databaseEngine,
  managed: z.boolean().describe('Holdfast runs it; false: somebody else does'),
  version: z.string().nullable().describe('what answered last, as 15.18; null: not known'),
  state: z.enum(['healthy', 'starting', 'degraded', 'down']),
  says: z.string().describe('the state in one sentence'),
  address: z.string().describe('where it answers, without user and password, or where its files lie'),
  url: z
    .string()
    .describe(
      'of its default database, as services find it in their variables; the password is hidden by ***',
    ),
  names: z.array(z.string()).describe('databases in it'),
  missing: z
    .array(z.string())
    .describe('what is to be in it and is not, as "database orders"; empty too where it does not answer'),
  usedBy: z.array(user),
  createdAt: moment.nullable().describe('when it was given its place; null: somebody else runs it'),
  sizeBytes: z.number().nullable().describe('on disk; null: not known'),
})

/** Databases of the environment. */
export const databaseList = z.strictObject({ says: z.string(), databases: z.array(databaseView) })

/** Databases of the environment. */
export type DatabaseList = z.infer<typeof databaseList>

/** Operations on databases. */
export const databaseOperations = {
  databases: declareOperation({
    name: 'environment.databases',
    summary: 'Show the databases, how they are and how large they are',
    input: nothing,
    output: databaseList,
    permission: 'view',
    limit: '120/min per caller',
    command: { words: 'databases', positional: [] },
  }),
} as const
