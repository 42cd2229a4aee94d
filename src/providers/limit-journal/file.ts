import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  checkPages,
  checkStore,
  ensureStore,
  limitStore,
  migrateStore,
  type StoreKind,
} from '../../kernel/store/index.ts'
import { corrupt } from './failures.ts'

/** `PRAGMA application_id` of a journal: "HfLj". */
const applicationId = 0x48664c6a
/** `PRAGMA user_version`: the version of these tables. */
export const schemaVersion = 1

/** Came later than the rest, which is why it is made where it is missing. */
const draft =
  'CREATE TABLE IF NOT EXISTS draft (only INTEGER PRIMARY KEY CHECK (only = 1), text TEXT NOT NULL) STRICT'

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
  ${draft};
`

const kind: StoreKind = {
  applicationId,
  version: schemaVersion,
  schema,
  stranger: 'it is no journal of limits',
  corrupt,
}

/** Opens a journal, creating it when there is none. Errors: `limits.journal-corrupt`, and SQLite's and the system's own. */
export function openFile(path: string, maxFileBytes: number | null): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  ensureStore(path, kind)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // Exclusive: a second writer is refused, and no shared memory is needed beside the file.
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    migrateStore(db, kind)
    checkStore(db, path, kind)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
    db.exec('PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 2000')
    // The journal is bounded by its snapshots, so every page is looked at.
    checkPages(db, path, kind)
    limitStore(db, maxFileBytes)
    db.exec(draft)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
