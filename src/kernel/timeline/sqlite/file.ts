import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { checkLink } from '../chain.ts'
import { headOf } from '../lines.ts'
import { corrupt } from './failures.ts'
import {
  applicationId,
  baseQuery,
  entryColumns,
  entryOf,
  headFrom,
  headQuery,
  schema,
  schemaVersion,
  type EntryRow,
} from './schema.ts'

/** A larger file is not checked page by page when it is opened: that would take longer than a start may. */
const fullCheckBytes = 256 * 2 ** 20

/** How many links at the end of the chain are checked when the file is opened. */
const checkedTail = 1000

/** How long a statement waits for another connection, in ms; only a truncation of the log ever does. */
const busyTimeoutMs = 2000

/** Makes the directory and returns the path by which every opener will know the file. */
export function settlePath(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return join(realpathSync(dirname(path)), basename(path))
}

/**
 * Takes the lock of a timeline: an exclusive transaction on a file beside it, which the kernel ends with the process,
 * however it dies. Throws SQLite's own error when another has it.
 */
export function takeLock(path: string): DatabaseSync {
  const lockPath = `${path}.lock`
  // Only a new file is opened here: closing any descriptor of a file drops every POSIX lock that this process has on it.
  if (!existsSync(lockPath)) closeSync(openSync(lockPath, 'a', 0o600))
  const lock = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    throw error
  }
}

/** Opens a timeline for writing, creating it when there is none, and checks it. Errors: `timeline.corrupt`, and SQLite's own. */
export function openForWriting(path: string, maxFileBytes: number | null): DatabaseSync {
  const isNew = !existsSync(path)
  if (isNew) createFile(path)
  if (statSync(path).size === 0) throw corrupt(path, 'it is empty')
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    checkIdentity(db, path)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
    db.exec(
      'PRAGMA cache_size = -32000; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000',
    )
    checkFile(db, path)
    checkTail(db, path)
    if (maxFileBytes !== null) limitSize(db, maxFileBytes)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens a timeline that exists for reading only. */
export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  db.exec('PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000')
  checkIdentity(db, path)
  return db
}

/** Builds the file under another name first: a crash leaves a whole timeline or none, and an empty file is always damage. */
function createFile(path: string): void {
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

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}

function checkIdentity(db: DatabaseSync, path: string): void {
  if (pragma(db, 'application_id') !== applicationId) throw corrupt(path, 'it is not a timeline')
  const version = pragma(db, 'user_version')
  if (version !== schemaVersion) {
    throw corrupt(path, `its tables have version ${version}, this Holdfast knows version ${schemaVersion}`)
  }
}

function checkFile(db: DatabaseSync, path: string): void {
  // What lies in the log counts too, so it goes into the file first; then the file must be as long as it says.
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const sizeBytes = statSync(path).size
  const promisedBytes = pragma(db, 'page_count') * pragma(db, 'page_size')
  if (sizeBytes < promisedBytes) throw corrupt(path, `it has ${sizeBytes} bytes instead of ${promisedBytes}`)
  if (sizeBytes > fullCheckBytes) return
  const findings = db.prepare('PRAGMA quick_check(1)').all()
  const finding = String(Object.values(findings[0] ?? {})[0])
  if (finding !== 'ok') throw corrupt(path, finding)
}

function checkTail(db: DatabaseSync, path: string): void {
  const base = headFrom(db.prepare(baseQuery).get())
  const head = headFrom(db.prepare(headQuery).get())
  const start = head.sequence - checkedTail
  const rows = db
    .prepare(`SELECT ${entryColumns} FROM facts WHERE sequence >= ? ORDER BY sequence`)
    .all(start)
  const entries = (rows as unknown as EntryRow[]).map(entryOf)
  const first = entries[0]
  let cursor = first === undefined || start <= base.sequence ? base : headOf(first)
  for (const entry of entries) {
    if (entry.sequence <= cursor.sequence) continue
    const broken = checkLink(cursor, entry)
    if (broken !== null) throw corrupt(path, `fact ${broken.sequence}: ${broken.why}`)
    cursor = headOf(entry)
  }
}

function limitSize(db: DatabaseSync, maxFileBytes: number): void {
  const pages = Math.max(1, Math.floor(maxFileBytes / pragma(db, 'page_size')))
  db.exec(`PRAGMA max_page_count = ${pages}`)
}
