import type { JsonObject } from '../../std/index.ts'
import { genesis, hashPayload, type Entry, type Header } from '../chain.ts'
import type { Fact, Head } from '../port.ts'
import { severities } from '../query.ts'

/** `PRAGMA application_id` of a timeline: "HfTl". */
export const applicationId = 0x4866546c

/** `PRAGMA user_version`: the version of these tables. */
export const schemaVersion = 1

/**
 * The tables. Facts are indexed by block of 128: an index entry says "somewhere in this block is a fact of this kind and
 * severity (of this subject)". A burst of like facts costs one entry instead of 128, and a rare fact is found by
 * looking through 128 rows. `erased` keeps the hash of a payload once the payload itself is gone; until then the hash follows
 * from salt and data, and storing it would cost a tenth of the file. `base` has one row: the last fact that retention removed.
 */
export const schema = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
  CREATE TABLE kinds (number INTEGER PRIMARY KEY, kind TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE facts (
    sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, severity INTEGER NOT NULL,
    subject TEXT, correlation TEXT, actor TEXT NOT NULL, id TEXT NOT NULL,
    hash BLOB NOT NULL, salt BLOB, data TEXT, erased BLOB
  ) STRICT;
  CREATE TABLE kind_blocks (
    kind INTEGER NOT NULL, severity INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (kind, severity, block)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE subject_blocks (
    subject TEXT NOT NULL, kind INTEGER NOT NULL, severity INTEGER NOT NULL, block INTEGER NOT NULL,
    PRIMARY KEY (subject, kind, severity, block)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE correlation_blocks (
    correlation TEXT NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (correlation, block)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE base (
    only INTEGER PRIMARY KEY CHECK (only = 1), sequence INTEGER NOT NULL, hash TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE checkpoints (
    name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, touched_at INTEGER NOT NULL, state TEXT NOT NULL
  ) STRICT;
  INSERT INTO base VALUES (1, 0, '${genesis.hash}', 0);
`

const kindColumn = '(SELECT kinds.kind FROM kinds WHERE number = facts.kind) AS kind'

/** The columns of a fact as `FactRow` has them. */
export const factColumns = `sequence, at, ${kindColumn}, severity, subject, correlation, actor, id, lower(hex(hash)) AS hash, data AS text`

/** The columns of a fact as `EntryRow` has them. */
export const entryColumns = `${factColumns}, lower(hex(salt)) AS salt, lower(hex(erased)) AS erased`

/** A fact as SQLite returns it. */
export interface FactRow extends Omit<Header, 'severity' | 'kind'> {
  readonly severity: number
  /** Null when the row names a kind that does not exist: it was tampered with. */
  readonly kind: string | null
  readonly hash: string
  readonly text: string | null
}

/** A fact as SQLite returns it, with what the chain needs; an empty text stands for NULL. */
export interface EntryRow extends FactRow {
  readonly salt: string
  readonly erased: string
}

/** The entry of a row. A row that was tampered with beyond recognition still yields an entry, whose link then does not hold. */
export function entryOf(row: EntryRow): Entry {
  const { text, hash, salt, erased } = row
  const payloadHash = text === null ? erased : hashPayload(salt, text)
  return { ...headerOf(row), salt: salt === '' ? null : salt, text, payloadHash, hash }
}

/** The fact of a row. */
export function factOfRow(row: FactRow): Fact {
  const data = row.text === null ? null : (JSON.parse(row.text) as JsonObject)
  return { ...headerOf(row), data, hash: row.hash }
}

function headerOf({ sequence, id, at, kind, severity, subject, actor, correlation }: FactRow): Header {
  return {
    sequence,
    id,
    at,
    kind: kind ?? '',
    severity: severities[severity] ?? 'info',
    subject,
    actor,
    correlation,
  }
}

/** Asks for the end of the chain: the newest fact, or the base when there is none. */
export const headQuery = `SELECT sequence, hash, at FROM (
    SELECT * FROM (SELECT sequence, lower(hex(hash)) AS hash, at FROM facts ORDER BY sequence DESC LIMIT 1)
    UNION ALL SELECT sequence, hash, at FROM base
  ) ORDER BY sequence DESC LIMIT 1`

/** Asks for the base of the chain. */
export const baseQuery = 'SELECT sequence, hash, at FROM base'

/** A row of `headQuery` or `baseQuery` as a head. */
export function headFrom(row: unknown): Head {
  const { sequence, hash, at } = row as Head
  return { sequence, hash, at }
}
