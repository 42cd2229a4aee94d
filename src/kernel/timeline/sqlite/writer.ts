import type { DatabaseSync } from 'node:sqlite'
import { assert, type JsonObject } from '../../std/index.ts'
import {
  rollBack,
  transact as transactIn,
  type Handlers,
  type Hearers,
  type MarkFile,
} from '../../store/index.ts'
import type { Head } from '../port.ts'
import { createInserter, type Inserter } from './inserter.ts'
import { parseDrafts, type SentDraft, type WriterCalls, type WriterNotes } from './protocol.ts'
import { retainStep } from './retain-step.ts'
import { entryColumns, entryOf, headFrom, headQuery, type EntryRow } from './schema.ts'

type Transact = <T>(act: () => T) => T

/**
 * What the writer does: the only connection that changes anything. Every call but an import is one transaction, and
 * the mark follows each that lengthens the chain.
 */
export function createWriter(
  db: DatabaseSync,
  mark: Pick<MarkFile, 'write'>,
): Omit<Handlers<WriterCalls>, 'open'> & Hearers<WriterNotes> {
  let head = headFrom(db.prepare(headQuery).get())
  const moveHead = (next: Head): void => {
    head = next
    mark.write({ number: head.sequence, hash: head.hash })
  }
  if (head.sequence > 0) moveHead(head)
  const inserter = createInserter(db)
  const transact: Transact = (act) => {
    try {
      return transactIn(db, act)
    } catch (error) {
      inserter.forget()
      throw error
    }
  }
  const staging = createStaging(db, inserter)
  return {
    stage: (drafts) => staging.take(head, parseDrafts(drafts)),
    commit: (drafts) => {
      const first = head.sequence + 1
      staging.take(head, parseDrafts(drafts))
      const staged = staging.commit()
      moveHead(staged.head)
      return { first, hashes: staged.hashes.join('') }
    },
    erase: (sequence) => erase(db, sequence, transact),
    ...checkpointHandlers(db, transact),
    retain: (ask) => {
      const count = transact(() => retainStep(db, head, ask))
      if (count > 0) db.exec('PRAGMA incremental_vacuum')
      return count
    },
    ...importHandlers(db, inserter, { get: () => head, set: moveHead }),
    close: () => {
      db.close()
      return null
    },
  }
}

interface Staged {
  readonly head: Head
  readonly hashes: readonly string[]
}

/** Inserts drafts as they come, so that the thread that makes them and this one work at the same time. */
interface Staging {
  /** Begins a transaction when none is open. What goes wrong is said at the commit. */
  take(head: Head, drafts: readonly SentDraft[]): void
  commit(): Staged
}

function createStaging(db: DatabaseSync, inserter: Inserter): Staging {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  let staged: { head: Head; hashes: string[] } | null = null
  let failure: { readonly cause: unknown } | null = null
  const attempt = (act: () => void): void => {
    if (failure !== null) return
    try {
      act()
    } catch (cause) {
      failure = { cause }
      rollBack(db)
      inserter.forget()
    }
  }
  return {
    take: (head, drafts) =>
      attempt(() => {
        if (staged === null) begin.run()
        staged ??= { head, hashes: [] }
        staged.head = inserter.append(staged.head, drafts, staged.hashes)
      }),
    commit: () => {
      attempt(() => commit.run())
      const [done, failed] = [staged, failure]
      staged = null
      failure = null
      if (failed !== null) throw failed.cause
      assert(done !== null, 'a commit follows at least one draft')
      return done
    },
  }
}

type ImportHandlers = Pick<
  Handlers<WriterCalls>,
  'beginImport' | 'takeImport' | 'finishImport' | 'abortImport'
>

interface HeadCell {
  readonly get: () => Head
  readonly set: (head: Head) => void
}

/** An import is one transaction over many calls; meanwhile nothing else is asked of the writer. */
function importHandlers(db: DatabaseSync, inserter: Inserter, head: HeadCell): ImportHandlers {
  return {
    beginImport: () => {
      if (head.get().sequence > 0) return false
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
      head.set(imported)
      return null
    },
    abortImport: () => {
      rollBack(db)
      inserter.forget()
      return null
    },
  }
}

/** Erased is what nobody can read any more: freed bytes are overwritten, and the log that still has them is emptied. */
function erase(db: DatabaseSync, sequence: number, transact: Transact): boolean {
  db.exec('PRAGMA secure_delete = ON')
  try {
    const isThere = transact(() => {
      const row = db.prepare(`SELECT ${entryColumns} FROM facts WHERE sequence = ?`).get(sequence)
      if (row === undefined) return false
      const { payloadHash } = entryOf(row as unknown as EntryRow)
      db.prepare('UPDATE facts SET salt = NULL, data = NULL, erased = unhex(?) WHERE sequence = ?').run(
        payloadHash,
        sequence,
      )
      return true
    })
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return isThere
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
