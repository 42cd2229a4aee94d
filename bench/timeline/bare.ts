import { DatabaseSync } from 'node:sqlite'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

/** Bare SQLite: one table, one text column, and the same durability as the timeline (WAL, `synchronous=FULL`, as long a log). */
export interface Bare {
  /** One transaction; returns when it is on disk. */
  insert(rows: readonly string[]): void
  close(): void
}

/** Opens a bare database. */
export function openBare(path: string): Bare {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000')
  db.exec('PRAGMA wal_autocheckpoint = 4000')
  db.exec('CREATE TABLE facts (sequence INTEGER PRIMARY KEY, json TEXT NOT NULL)')
  const insert = db.prepare('INSERT INTO facts (json) VALUES (?)')
  return {
    insert: (rows) => {
      db.exec('BEGIN')
      for (const row of rows) insert.run(row)
      db.exec('COMMIT')
    },
    close: () => db.close(),
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  const bare = openBare((workerData as { readonly path: string }).path)
  port.on('message', (rows: readonly string[] | null) => {
    if (rows === null) {
      bare.close()
      port.close()
    } else {
      bare.insert(rows)
      port.postMessage(null)
    }
  })
}
