import { crc32 } from 'node:zlib'
import type { DatabaseSync } from 'node:sqlite'
import type { KeptLimits, RememberedText } from '../../capabilities/limits/ports.ts'
import { transact, type Handlers, type MarkFile } from '../../kernel/store/index.ts'
import { corrupt } from './failures.ts'
import type { JournalCalls, OpenAsk, SaveAsk } from './protocol.ts'

/** Answers that are remembered at most; the oldest give way. */
export const mostRemembered = 100_000

/** Where the chain of entries stands. */
export interface Position {
  /** Of the newest entry; a row has that of its last. */
  readonly number: number
  readonly chain: number
}

interface SnapshotRow {
  readonly through: number
  readonly chain: number
  readonly content: Uint8Array | null
  readonly state: string | null
  readonly checksum: number
}

interface EntryRow {
  readonly number: number
  readonly texts: string
  readonly chain: number
}

/** What a journal's file has in it, and where it ends. Errors: `limits.journal-corrupt`. */
export function readKept(
  db: DatabaseSync,
  { path, nowMs }: Pick<OpenAsk, 'path' | 'nowMs'>,
): { readonly kept: Omit<KeptLimits, 'forgotten'>; readonly end: Position } {
  const row = db.prepare('SELECT through, chain, content, state, checksum FROM snapshot').get()
  if (row === undefined) throw corrupt(path, 'its snapshot is gone')
  const { through, chain, content, state, checksum } = row as unknown as SnapshotRow
  const snapshot = content === null || state === null ? null : { table: content, state }
  if (checksumOf(snapshot, { number: through, chain }) !== checksum) {
    throw corrupt(path, 'its snapshot does not have the checksum that it should have')
  }
  const rows = db.prepare('SELECT number, texts, chain FROM entries ORDER BY number').all()
  let end: Position = { number: through, chain }
  const entries: string[] = []
  for (const found of rows as unknown as EntryRow[]) {
    const texts = found.texts.split('\n')
    end = next(end, found.texts, texts.length)
    if (found.number !== end.number || found.chain !== end.chain) {
      throw corrupt(path, `entry ${found.number} does not follow the one before it`)
    }
    for (const text of texts) entries.push(text)
  }
  const remembered = db
    .prepare('SELECT key, text, until_ms AS untilMs FROM remembered WHERE until_ms > ? ORDER BY until_ms')
    .all(nowMs) as unknown as RememberedText[]
  const draft = (db.prepare('SELECT text FROM draft').get() ?? { text: null }) as { text: string | null }
  return { kept: { snapshot, entries, remembered, draft: draft.text }, end }
}

function next({ number, chain }: Position, texts: string, count: number): Position {
  return { number: number + count, chain: crc32(texts, chain) }
}

function checksumOf(snapshot: KeptLimits['snapshot'], { number, chain }: Position): number {
  if (snapshot === null) return 0
  return crc32(snapshot.state, crc32(snapshot.table, crc32(`${number} ${chain}`)))
}

/** What the thread does once the file is open; each call is one transaction, and the mark follows it. */
export function createWriter(
  db: DatabaseSync,
  end: Position,
  mark: MarkFile,
): Omit<Handlers<JournalCalls>, 'open'> {
  let position = end
  const insert = db.prepare('INSERT INTO entries VALUES (?, ?, ?)')
  const remember = db.prepare('INSERT OR REPLACE INTO remembered VALUES (?, ?, ?)')
  const moveTo = (following: Position, act: () => void): null => {
    transact(db, act)
    position = following
    mark.write({ number: position.number, hash: '' })
    return null
  }
  const save = ({ snapshot, remembered, nowMs }: SaveAsk): void => {
    const { number, chain } = position
    db.exec('DELETE FROM entries')
    db.prepare('UPDATE snapshot SET through = ?, chain = ?, content = ?, state = ?, checksum = ?').run(
      number,
      chain,
      snapshot.table,
      snapshot.state,
      checksumOf(snapshot, position),
    )
    for (const { key, text, untilMs } of remembered) remember.run(key, text, untilMs)
    db.prepare('DELETE FROM remembered WHERE until_ms <= ?').run(nowMs)
    db.prepare(
      `DELETE FROM remembered WHERE key IN (
        SELECT key FROM remembered ORDER BY until_ms DESC LIMIT -1 OFFSET ${mostRemembered})`,
    ).run()
  }
  return {
    append: ({ texts, count }) => {
      const following = next(position, texts, count)
      return moveTo(following, () => void insert.run(following.number, texts, following.chain))
    },
    keepDraft: (text) => {
      transact(db, () => {
        db.exec('DELETE FROM draft')
        if (text !== null) db.prepare('INSERT INTO draft VALUES (1, ?)').run(text)
      })
      return null
    },
    save: (ask) => moveTo(position, () => save(ask)),
    close: () => {
      mark.close()
      db.close()
      return null
    },
  }
}
