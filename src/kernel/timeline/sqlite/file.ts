import { closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  checkPages,
  checkStore,
  ensureStore,
  limitStore,
  migrateStore,
  pragma,
  readMark,
  type Mark,
  type StoreKind,
} from '../../store/index.ts'
import { checkLink } from '../chain.ts'
import { headOf } from '../lines.ts'
import { corrupt, shortened } from './failures.ts'
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

const kind: StoreKind = {
  applicationId,
  version: schemaVersion,
  schema,
  stranger: 'it is not a timeline',
  corrupt,
}

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
  const mark = readMark(path)
  // A timeline that was there may not begin anew as if nothing had happened.
  if (mark !== null && !existsSync(path)) {
    throw shortened(path, `it is gone, and once had ${mark.number} facts`)
  }
  ensureStore(path, kind)
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    migrateStore(db, kind)
    checkStore(db, path, kind)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
    db.exec(
      'PRAGMA cache_size = -32000; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000',
    )
    checkFile(db, path)
    checkTail(db, path)
    if (mark !== null) checkMark(db, path, mark)
    limitStore(db, maxFileBytes)
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
  checkStore(db, path, kind)
  return db
}

function checkFile(db: DatabaseSync, path: string): void {
  // What lies in the log counts too, so it goes into the file first; then the file must be as long as it says.
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const sizeBytes = statSync(path).size
  const promisedBytes = pragma(db, 'page_count') * pragma(db, 'page_size')
  if (sizeBytes < promisedBytes) throw corrupt(path, `it has ${sizeBytes} bytes instead of ${promisedBytes}`)
  if (sizeBytes > fullCheckBytes) return
  checkPages(db, path, kind)
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

/** A lost `-wal` file takes the newest facts away and leaves a chain that verifies. */
function checkMark(db: DatabaseSync, path: string, mark: Mark): void {
  const { sequence } = headFrom(db.prepare(headQuery).get())
  if (sequence < mark.number) {
    const lost = mark.number - sequence
    throw shortened(path, `its newest facts are missing (${lost}, from ${sequence + 1} on)`)
  }
  const row = db.prepare('SELECT lower(hex(hash)) AS hash FROM facts WHERE sequence = ?').get(mark.number)
  // None: retention has removed it.
  if (row === undefined || row['hash'] === mark.hash) return
  throw shortened(path, `fact ${mark.number} is not the one that was recorded`)
}
