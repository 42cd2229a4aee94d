import { genesis, type Entry } from '../chain.ts'
import type { Head } from '../port.ts'
import { severities } from '../query.ts'

/** `PRAGMA application_id` of a timeline: "HfTl". */
export const applicationId = 0x4866546c

/** `PRAGMA user_version`: the version of these tables. */
export const schemaVersion = 1

/**
 * The tables. Facts are indexed by block of 64: an index entry says "somewhere in this block is a fact of this kind and
 * severity (of this subject)". A burst of like facts costs one entry instead of 64, and a rare fact is found by
 * looking through 64 rows. `base` has one row: the last fact that retention removed.
 */
export const schema = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
  CREATE TABLE kinds (number INTEGER PRIMARY KEY, kind TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE facts (
    sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, severity INTEGER NOT NULL,
    subject TEXT, correlation TEXT, actor TEXT NOT NULL, id TEXT NOT NULL,
    payload BLOB NOT NULL, hash BLOB NOT NULL, salt BLOB, data TEXT
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

/** The columns of a fact as `EntryRow` has them. */
export const entryColumns = `sequence, at, (SELECT kinds.kind FROM kinds WHERE number = facts.kind) AS kind, severity, subject,
  correlation, actor, id, lower(hex(payload)) AS payloadHash, lower(hex(hash)) AS hash, lower(hex(salt)) AS salt, data AS text`

/** A fact as SQLite returns it; `salt` is empty when it is NULL. */
export interface EntryRow extends Omit<Entry, 'severity' | 'kind'> {
  readonly severity: number
  readonly kind: string | null
}

/** The entry of a row. A row that was tampered with beyond recognition still yields an entry, whose link then does not hold. */
export function entryOf(row: EntryRow): Entry {
  const { sequence, id, at, subject, actor, correlation, salt, text, payloadHash, hash } = row
  const severity = severities[row.severity] ?? 'info'
  const kind = row.kind ?? ''
  const known = salt === '' ? null : salt
  return {
    sequence,
    id,
    at,
    kind,
    severity,
    subject,
    actor,
    correlation,
    salt: known,
    text,
    payloadHash,
    hash,
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
