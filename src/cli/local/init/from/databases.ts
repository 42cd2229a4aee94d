import type { DraftDatabase, Note } from './draft.ts'

/** An image by its last name and its tag. */
export interface Image {
  readonly name: string
  /** Empty: none. */
  readonly tag: string
}

/** Reads `registry.example:5000/team/postgres:16-alpine@sha256:...`. */
export function parseImage(text: string): Image {
  const last = text.split('@')[0]?.split('/').at(-1) ?? ''
  const [name = '', tag = ''] = last.split(':')
  return { name, tag }
}

const engines: readonly (readonly [name: RegExp, engine: DraftDatabase['engine']])[] = [
  [/^(?:postgres|postgresql|postgis|pgvector|timescaledb)$/, 'postgres'],
  [/^(?:mariadb|mysql|mysql-server|percona)$/, 'mariadb'],
  [/^(?:redis|redis-stack|valkey)$/, 'redis'],
]

/** The database that an image runs, or null. MySQL becomes MariaDB, its nearest, without a version. */
export function databaseOf(name: string, image: Image): DraftDatabase | null {
  const engine = engines.find(([pattern]) => pattern.test(image.name))?.[1]
  if (engine === undefined) return null
  const version = /^(?:pg)?(\d+)(?:[.-]|$)/.exec(image.tag)?.[1] ?? null
  return { name, engine, version: isSame(image, engine) ? version : null }
}

const isSame = ({ name }: Image, engine: DraftDatabase['engine']): boolean =>
  engine !== 'mariadb' || name === 'mariadb'

/** What is to be done about a database that Holdfast runs from now on; `lost` says what was left out with it. */
export function databaseNotes(
  about: string,
  image: Image,
  { name, engine, lost }: Pick<DraftDatabase, 'name' | 'engine'> & { readonly lost: string },
): readonly Note[] {
  const refer = `let services refer to it, as DATABASE_URL: { database: '${name}' }`
  const says = `Holdfast runs it from the programs of this machine: ${refer}, and take its data over with a dump${lost}`
  const other = `it becomes ${engine}, which is not the same: take your data over with a dump, and test`
  return [{ about, says }, ...(isSame(image, engine) ? [] : [{ about: `${about}.image`, says: other }])]
}

/** The lines of the environment file that name the databases. */
export function databaseLines(databases: readonly DraftDatabase[]): readonly string[] {
  if (databases.length === 0) return []
  return [
    '// Holdfast runs these, makes what is in them, and chooses their passwords.',
    'databases: {',
    ...databases.map(({ name, engine, version }) => {
      const key = /^[a-z][a-z0-9]*$/.test(name) ? name : `'${name}'`
      return `  ${key}: { engine: '${engine}'${version === null ? '' : `, version: '${version}'`} },`
    }),
    '},',
  ]
}
