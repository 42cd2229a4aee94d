import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { HoldfastError } from '../../std/index.ts'
import { hashLink, type Entry } from '../chain.ts'
import type { Head } from '../port.ts'
import { severities } from '../query.ts'
import { blockOf } from '../retention.ts'
import type { SentDraft } from './protocol.ts'

/** Most kinds of facts: kinds are declared in code, so more of them means that one is made up from data. */
const maxKinds = 10_000

/** Rows in one INSERT statement: half the cost of one row each. */
const rowsAtOnce = 16

/** Cells of one row. */
const rowCells = 11

const oneRow = '(?, ?, ?, ?, ?, ?, ?, ?, unhex(?), unhex(?), ?, NULL)'

type Value = string | number | null

/** Puts facts and their index entries into the tables, within a transaction of the caller's. */
export interface Inserter {
  /** Continues the chain from `head`; returns its new end and adds the hashes to `hashes`. */
  append(head: Head, drafts: readonly SentDraft[], hashes: string[]): Head
  /** Stores entries of a chain that was checked already. */
  store(entries: readonly Entry[]): void
  /** Forgets what it knows about the tables, after a transaction was rolled back. */
  readonly forget: () => void
}

/** Creates an inserter on a connection. */
export function createInserter(db: DatabaseSync): Inserter {
  const kinds = createKinds(db)
  const index = createBlockIndex(db)
  const facts = createFactRows(db)
  const add = (entry: Entry): void => {
    const rank = severities.indexOf(entry.severity)
    const kind = kinds.numberOf(entry.kind)
    index.add(entry, kind, rank)
    facts.add(entry, kind, rank)
  }
  return {
    append: (head, drafts, hashes) => {
      let end = head
      for (const draft of drafts) {
        const entry = linked(end, draft)
        end = entry
        hashes.push(entry.hash)
        add(entry)
      }
      facts.flush()
      return { sequence: end.sequence, hash: end.hash, at: end.at }
    },
    store: (entries) => {
      for (const entry of entries) add(entry)
      facts.flush()
    },
    forget: () => {
      kinds.forget()
      index.forget()
      facts.forget()
    },
  }
}

function linked(previous: Head, draft: SentDraft): Entry {
  const { id, at, kind, severity, subject, actor, correlation, salt, text, payloadHash } = draft
  const sequence = previous.sequence + 1
  const header = { sequence, id, at, kind, severity, subject, actor, correlation }
  const hash = hashLink(previous.hash, header, payloadHash)
  return { sequence, id, at, kind, severity, subject, actor, correlation, salt, text, payloadHash, hash }
}

interface Kinds {
  numberOf(kind: string): number
  forget(): void
}

function createKinds(db: DatabaseSync): Kinds {
  const known = new Map<string, number>()
  const load = (): void => {
    known.clear()
    for (const { number, kind } of db.prepare('SELECT number, kind FROM kinds').all()) {
      known.set(String(kind), Number(number))
    }
  }
  const insert = db.prepare('INSERT INTO kinds (kind) VALUES (?)')
  load()
  return {
    numberOf: (kind) => {
      const number = known.get(kind)
      if (number !== undefined) return number
      if (known.size >= maxKinds) throw tooManyKinds(kind)
      const added = Number(insert.run(kind).lastInsertRowid)
      known.set(kind, added)
      return added
    },
    forget: load,
  }
}

function tooManyKinds(kind: string): HoldfastError {
  return new HoldfastError({
    code: 'timeline.invalid-fact',
    kind: 'bug',
    message: `${kind} would be one more than ${maxKinds} kinds of facts`,
    hint: 'a kind is declared in code; put what varies into the data or the subject',
  })
}

interface BlockIndex {
  add(entry: Entry, kind: number, rank: number): void
  forget(): void
}

/** Remembers which index entries the current block has, so that each is written once. */
function createBlockIndex(db: DatabaseSync): BlockIndex {
  const kinds = db.prepare('INSERT OR IGNORE INTO kind_blocks VALUES (?, ?, ?)')
  const subjects = db.prepare('INSERT OR IGNORE INTO subject_blocks VALUES (?, ?, ?, ?)')
  const correlations = db.prepare('INSERT OR IGNORE INTO correlation_blocks VALUES (?, ?)')
  const seenGroups = new Set<number>()
  const seenSubjects = new Set<string>()
  const seenCorrelations = new Set<string>()
  let current = -1
  const begin = (block: number): void => {
    seenGroups.clear()
    seenSubjects.clear()
    seenCorrelations.clear()
    current = block
  }
  return {
    add: ({ sequence, subject, correlation }, kind, rank) => {
      const block = blockOf(sequence)
      if (block !== current) begin(block)
      const group = kind * severities.length + rank
      if (isNew(seenGroups, group)) kinds.run(kind, rank, block)
      if (subject !== null && isNew(seenSubjects, `${group} ${subject}`))
        subjects.run(subject, kind, rank, block)
      if (correlation !== null && isNew(seenCorrelations, correlation)) correlations.run(correlation, block)
    },
    forget: () => begin(-1),
  }
}

function isNew<T>(seen: Set<T>, item: T): boolean {
  if (seen.has(item)) return false
  seen.add(item)
  return true
}

interface FactRows {
  add(entry: Entry, kind: number, rank: number): void
  flush(): void
  forget(): void
}

function createFactRows(db: DatabaseSync): FactRows {
  const insertOf = (rows: number): StatementSync =>
    db.prepare(
      `INSERT INTO facts (sequence, at, kind, severity, subject, correlation, actor, id, hash, salt, data, erased)
       VALUES ${Array.from({ length: rows }, () => oneRow).join(', ')}`,
    )
  const insertMany = insertOf(rowsAtOnce)
  const insertOne = insertOf(1)
  const insertErased = db.prepare('UPDATE facts SET erased = unhex(?) WHERE sequence = ?')
  let waiting: Value[] = []
  const flush = (): void => {
    for (let cell = 0; cell < waiting.length; cell += rowCells) {
      insertOne.run(...waiting.slice(cell, cell + rowCells))
    }
    waiting = []
  }
  return {
    add: (entry, kind, rank) => {
      const { sequence, at, subject, correlation, actor, id, hash, salt, text } = entry
      waiting.push(sequence, at, kind, rank, subject, correlation, actor, id, hash, salt, text)
      if (text === null) {
        flush()
        insertErased.run(entry.payloadHash, sequence)
      }
      if (waiting.length < rowsAtOnce * rowCells) return
      insertMany.run(...waiting)
      waiting = []
    },
    flush,
    forget: () => {
      waiting = []
    },
  }
}
