import type { DatabaseSync } from 'node:sqlite'
import type { JsonObject } from '../../std/index.ts'
import { createInserter } from './inserter.ts'
import type { Handlers, WriterCalls } from './protocol.ts'
import { retainStep } from './retain-step.ts'
import { headFrom, headQuery } from './schema.ts'

type Transact = <T>(act: () => T) => T

/** What the writer does: the only connection that changes anything. Every call but an import is one transaction. */
export function createWriter(db: DatabaseSync): Handlers<WriterCalls> {
  let head = headFrom(db.prepare(headQuery).get())
  const inserter = createInserter(db)
  const transact: Transact = (act) => {
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = act()
      db.exec('COMMIT')
      return result
    } catch (error) {
      rollBack(db)
      inserter.forget()
      throw error
    }
  }
  return {
    append: (rows) => {
      const first = head.sequence + 1
      const done = transact(() => inserter.append(head, rows))
      head = done.head
      return { first, hashes: done.hashes }
    },
    erase: (sequence) => erase(db, sequence, transact),
    ...checkpointHandlers(db, transact),
    retain: (ask) => {
      const count = transact(() => retainStep(db, head, ask))
      if (count > 0) db.exec('PRAGMA incremental_vacuum')
      return count
    },
    beginImport: () => {
      if (head.sequence > 0) return false
      db.exec('BEGIN IMMEDIATE')
      return true
    },
    takeImport: (entries) => {
      inserter.store(entries)
      return null
    },
    finishImport: ({ base, head: imported, checkpoints, nowMs }) => {
      db.prepare('UPDATE base SET sequence = ?, hash = ?, at = ?').run(base.sequence, base.hash, base.at)
      const save = db.prepare(
        'INSERT INTO checkpoints (name, sequence, touched_at, state) VALUES (?, ?, ?, ?)',
      )
      for (const { name, sequence, state } of checkpoints)
        save.run(name, sequence, nowMs, JSON.stringify(state))
      db.exec('COMMIT')
      head = imported
      return null
    },
    abortImport: () => {
      rollBack(db)
      inserter.forget()
      return null
    },
    close: () => {
      db.close()
      return null
    },
  }
}

/** Some failures (a full disk, say) have ended the transaction already. */
function rollBack(db: DatabaseSync): void {
  if (db.isTransaction) db.exec('ROLLBACK')
}

/** Erased is what nobody can read any more: freed bytes are overwritten, and the log that still has them is emptied. */
function erase(db: DatabaseSync, sequence: number, transact: Transact): boolean {
  db.exec('PRAGMA secure_delete = ON')
  try {
    const { changes } = transact(() =>
      db.prepare('UPDATE facts SET salt = NULL, data = NULL WHERE sequence = ?').run(sequence),
    )
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return Number(changes) > 0
  } finally {
    db.exec('PRAGMA secure_delete = OFF')
  }
}

function checkpointHandlers(
  db: DatabaseSync,
  transact: Transact,
): Pick<Handlers<WriterCalls>, 'loadCheckpoint' | 'saveCheckpoint'> {
  const touch = db.prepare('UPDATE checkpoints SET touched_at = ? WHERE name = ? RETURNING sequence, state')
  const save = db.prepare(
    `INSERT INTO checkpoints (name, sequence, touched_at, state) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, touched_at = excluded.touched_at, state = excluded.state`,
  )
  return {
    loadCheckpoint: ({ name, nowMs }) => {
      const row = transact(() => touch.get(nowMs, name))
      if (row === undefined) return null
      return { sequence: Number(row['sequence']), state: JSON.parse(String(row['state'])) as JsonObject }
    },
    saveCheckpoint: ({ name, sequence, text, nowMs }) => {
      transact(() => save.run(name, sequence, nowMs, text))
      return null
    },
  }
}
