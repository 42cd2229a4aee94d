import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { corrupt } from './failures.ts'

/** `PRAGMA application_id` of a journal: "HfLj". */
const applicationId = 0x48664c6a
/** `PRAGMA user_version`: the version of these tables. */
const schemaVersion = 1

/**
 * One row of `entries` is one transaction; `chain` is the CRC-32 of its text on top of the row's before, so that a row
 * that was changed or lost is noticed. `snapshot` has one row, from the beginning; the chain goes on from it.
 */
const schema = `
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
  CREATE TABLE entries (number INTEGER PRIMARY KEY, texts TEXT NOT NULL, chain INTEGER NOT NULL) STRICT;
  CREATE TABLE remembered (key TEXT PRIMARY KEY, text TEXT NOT NULL, until_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX remembered_until ON remembered (until_ms);
  CREATE TABLE snapshot (
    only INTEGER PRIMARY KEY CHECK (only = 1), through INTEGER NOT NULL, chain INTEGER NOT NULL,
    content BLOB, state TEXT, checksum INTEGER NOT NULL
  ) STRICT;
  INSERT INTO snapshot VALUES (1, 0, 0, NULL, NULL, 0);
`

/** Opens a journal, creating it when there is none. Errors: `limits.journal-corrupt`, and SQLite's and the system's own. */
export function openFile(path: string, maxFileBytes: number | null): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (!existsSync(path)) createFile(path)
  if (statSync(path).size === 0) throw corrupt(path, 'it is empty')
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // Exclusive: a second writer is refused, and no shared memory is needed beside the file.
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    checkIdentity(db, path)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
    db.exec('PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 2000')
    checkFile(db, path)
    if (maxFileBytes !== null) limitSize(db, maxFileBytes)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Builds the file under another name first: a crash leaves a whole journal or none. */
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
  if (pragma(db, 'application_id') !== applicationId) throw corrupt(path, 'it is no journal of limits')
  const version = pragma(db, 'user_version')
  if (version !== schemaVersion) {
    throw corrupt(path, `its tables have version ${version}, this Holdfast knows version ${schemaVersion}`)
  }
}

/** The journal is bounded by its snapshots, so every page is looked at. */
function checkFile(db: DatabaseSync, path: string): void {
  const finding = String(Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0])
  if (finding !== 'ok') throw corrupt(path, finding)
}

function limitSize(db: DatabaseSync, maxFileBytes: number): void {
  const pages = Math.max(1, Math.floor(maxFileBytes / pragma(db, 'page_size')))
  db.exec(`PRAGMA max_page_count = ${pages}`)
}
