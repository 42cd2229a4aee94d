import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { seed } from './seed.ts'

const schema = `
  CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE COLLATE NOCASE,
    -- NULL: an imported player who has not chosen a password yet, and so cannot sign in.
    password TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE scores (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    points INTEGER NOT NULL,
    played_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX scores_by_time ON scores (played_at);
  CREATE INDEX scores_by_account ON scores (account_id);
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    text TEXT NOT NULL,
    said_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_account ON messages (account_id);
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    claimed_at INTEGER,
    -- When it was sent, or held back for good.
    sent_at INTEGER
  ) STRICT;
  CREATE INDEX outbox_waiting ON outbox (id) WHERE sent_at IS NULL;
  CREATE TABLE exports (
    id TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done')),
    progress REAL NOT NULL DEFAULT 0,
    queued_at INTEGER NOT NULL,
    claimed_at INTEGER,
    result TEXT
  ) STRICT;
  CREATE INDEX exports_by_account ON exports (account_id);
`

/** What came later, in order; `user_version` says how much of it a database has. */
const changes = [
  `CREATE TABLE signing_key (pem TEXT NOT NULL) STRICT;
   -- The handle of who caused a mail, and why it was held back, if it was.
   ALTER TABLE outbox ADD COLUMN sender TEXT NOT NULL DEFAULT '';
   ALTER TABLE outbox ADD COLUMN held_back TEXT;
   CREATE INDEX outbox_by_sender ON outbox (sender);`,
]

/** Where the game keeps everything: where it is told, else in the volume that Holdfast gives it, else beside its files. */
export function databasePath(): string {
  const { ARCADE_DATABASE: told, VOLUME_GAME: volume = './data' } = process.env
  return told ?? join(volume, 'arcade.sqlite')
}

/** Opens the database. The first process to come creates and fills it; the others wait for it. */
export async function openDatabase(path = databasePath()): Promise<DatabaseSync> {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 5000 })
  await useWriteAheadLog(database)
  database.exec('PRAGMA synchronous = NORMAL')
  inTransaction(database, () => {
    if (tableCount(database) === 0) {
      database.exec(schema)
      seed(database, Date.now())
    }
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
    for (const change of changes.slice(version)) database.exec(change)
    database.exec(`PRAGMA user_version = ${changes.length}`)
  })
  return database
}

/** Two processes that switch a new file at once get in each other's way, whatever the timeout: try again. */
async function useWriteAheadLog(database: DatabaseSync): Promise<void> {
  for (let triesLeft = 50; ; triesLeft--) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (triesLeft === 0) throw error
      await sleep(100)
    }
  }
}

function tableCount(database: DatabaseSync): number {
  return Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'])
}

/** Runs `act` as one unit: all of it happens or nothing. */
export function inTransaction<T>(database: DatabaseSync, act: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = act()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
