import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { HoldfastError } from '../std/index.ts'
import { checkPages, pragma, storeFailure } from '../store/index.ts'

/** Marks the file as ours (`PRAGMA application_id`): "HFms". */
const applicationId = 0x48466d73
/** `PRAGMA user_version`: the version of these tables. */
export const layoutVersion = 1
/** Larger files are checked in their header and layout only, so that a start stays quick. */
const fullCheckBelowBytes = 64 * 2 ** 20

const layout = `
  CREATE TABLE IF NOT EXISTS series (
    slot INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    kind TEXT NOT NULL,
    seen_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS blocks (
    tier INTEGER NOT NULL,
    start INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (tier, start, slot)
  ) STRICT, WITHOUT ROWID;
`

/**
 * Opens or creates the file of measurements (null: in memory) and keeps it locked for this process.
 * Errors: `series.corrupt`, `series.newer`, `series.unwritable`.
 */
export function openFile(path: string | null): DatabaseSync {
  return explained(path, () => {
    const database = new DatabaseSync(path ?? ':memory:', { timeout: 1000 })
    try {
      prepare(database, path)
    } catch (error) {
      database.close()
      throw error
    }
    return database
  })
}

function prepare(database: DatabaseSync, path: string | null): void {
  database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=8192')
  const isNew = pragma(database, 'schema_version') === 0
  if (!isNew) refuseStranger(database, path)
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=16777216')
  if (!isNew) checkSmall(database, path)
  database.exec('BEGIN IMMEDIATE')
  if (isNew) database.exec(`PRAGMA application_id=${applicationId}; PRAGMA user_version=${layoutVersion}`)
  database.exec(layout)
  database.exec('COMMIT')
}

function refuseStranger(database: DatabaseSync, path: string | null): void {
  if (pragma(database, 'application_id') !== applicationId)
    throw corrupt(path, 'it is a database of another program')
  const version = pragma(database, 'user_version')
  if (version <= layoutVersion) return
  throw new HoldfastError({
    code: 'series.newer',
    kind: 'user',
    message: `the measurements in ${path} were written by a newer Holdfast (layout ${version})`,
    hint: 'Run that version, or move the file away; facts are not in it and are untouched.',
  })
}

function checkSmall(database: DatabaseSync, path: string | null): void {
  if (path !== null && statSync(path).size <= fullCheckBelowBytes) checkPages(database, path, { corrupt })
}

/** Runs `act` and turns what SQLite throws into errors of this room. */
export function explained<T>(path: string | null, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw storeFailure(error) === 'corrupt' ? corrupt(path, reason, error) : unwritable(path, reason, error)
  }
}

function corrupt(path: string | null, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'series.corrupt',
    kind: 'operational',
    message: `the measurements in ${path ?? 'memory'} are damaged: ${reason}`,
    hint: 'Stop Holdfast and move the file away, with its -wal; a new one is begun. Facts are not in it and are untouched.',
    cause,
  })
}

function unwritable(path: string | null, reason: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'series.unwritable',
    kind: 'operational',
    message: `measurements cannot be written to ${path ?? 'memory'}: ${reason}`,
    hint: 'See that the directory exists, belongs to the user Holdfast runs as, has space left, and that no other Holdfast uses it.',
    cause,
  })
}
