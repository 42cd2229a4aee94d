import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** What a store's file is known by. */
export interface StoreKind {
  /** `PRAGMA application_id`. */
  readonly applicationId: number
  /** `PRAGMA user_version`. */
  readonly version: number
  /** Statements that make the tables of a new file, both pragmas included. */
  readonly schema: string
  /** By version, the statements that make tables of the next version out of that one's. */
  readonly migrations?: Readonly<Record<number, string>> | undefined
  /** What is said of a file that is something else: `it is not a timeline`. */
  readonly stranger: string
  /** The store's error for a file that is not what we wrote. */
  readonly corrupt: (path: string, why: string) => Error
}

/**
 * Sees to it that the file is there. A new one is built under another name first: a crash leaves a whole store or
 * none, and an empty file is always damage. Throws the store's `corrupt`, and SQLite's and the system's own errors.
 */
export function ensureStore(path: string, kind: StoreKind): void {
  if (!existsSync(path)) create(path, kind)
  if (statSync(path).size === 0) throw kind.corrupt(path, 'it is empty')
}

function create(path: string, { schema, corrupt }: StoreKind): void {
  if (existsSync(`${path}-wal`)) throw corrupt(path, 'its -wal file is there, but the file itself is gone')
  const unfinished = `${path}.new`
  rmSync(unfinished, { force: true })
  closeSync(openSync(unfinished, 'wx', 0o600))
  const db = new DatabaseSync(unfinished)
  db.exec(schema)
  db.close()
  renameSync(unfinished, path)
  const directory = openSync(dirname(path), 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** Throws the store's `corrupt` when an open file is another program's, or has tables of another version. */
export function checkStore(db: DatabaseSync, path: string, kind: StoreKind): void {
  if (pragma(db, 'application_id') !== kind.applicationId) throw kind.corrupt(path, kind.stranger)
  const version = pragma(db, 'user_version')
  if (version === kind.version) return
  const newer = version > kind.version ? '; a newer one wrote it' : ''
  throw kind.corrupt(
    path,
    `its tables have version ${version}, this Holdfast knows version ${kind.version}${newer}`,
  )
}

/**
 * Brings the tables of an earlier version to this one's, each version in a transaction of its own. Throws SQLite's errors;
 * what it does not know how to bring forward is left as it is, for `checkStore` to refuse.
 */
export function migrateStore(db: DatabaseSync, { applicationId, version, migrations = {} }: StoreKind): void {
  if (pragma(db, 'application_id') !== applicationId) return
  for (;;) {
    const before = pragma(db, 'user_version')
    const statements = migrations[before]
    if (before >= version || statements === undefined) return
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(`${statements}; PRAGMA user_version = ${before + 1}; COMMIT`)
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }
}

/** Looks at every page; throws the store's `corrupt` with the first finding. */
export function checkPages(db: DatabaseSync, path: string, { corrupt }: Pick<StoreKind, 'corrupt'>): void {
  const finding = String(Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0])
  if (finding !== 'ok') throw corrupt(path, finding)
}

/** Bounds the file, in bytes; what would make it larger fails as on a full disk. Null: no bound but the disk. */
export function limitStore(db: DatabaseSync, maxFileBytes: number | null): void {
  if (maxFileBytes === null) return
  const pages = Math.max(1, Math.floor(maxFileBytes / pragma(db, 'page_size')))
  db.exec(`PRAGMA max_page_count = ${pages}`)
}

/** The value of a pragma that is a number. */
export function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}

/** Acts in one transaction, all or nothing. Throws what `act` and SQLite throw. */
export function transact<T>(db: DatabaseSync, act: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = act()
    db.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(db)
    throw error
  }
}

/** Some failures (a full disk, say) have ended the transaction already. */
export function rollBack(db: DatabaseSync): void {
  if (db.isTransaction) db.exec('ROLLBACK')
}
