import type { DatabaseSync } from 'node:sqlite'
import type { Head } from '../port.ts'
import { blockSize, cutBelow, permittedBy, type CheckpointUse } from '../retention.ts'
import type { RetainAsk } from './protocol.ts'
import { baseQuery, headFrom } from './schema.ts'

/** Blocks that go in one step: short enough that appends need not wait long. */
const stepBlocks = 32

/** One step of retention, within a transaction of the caller's: returns how many facts went. */
export function retainStep(db: DatabaseSync, head: Head, ask: RetainAsk): number {
  const base = headFrom(db.prepare(baseQuery).get())
  const { upTo, abandoned } = permittedBy(checkpointUses(db), new Set(ask.registered), ask.nowMs)
  for (const name of abandoned) db.prepare('DELETE FROM checkpoints WHERE name = ?').run(name)
  const wanted = Math.max(tooOld(db, ask.nowMs - ask.maxAgeMs), tooMuch(db, ask.maxSizeBytes, { base, head }))
  const step = cutBelow(base.sequence + stepBlocks * blockSize)
  const cut = Math.min(cutBelow(Math.min(wanted, upTo)), step)
  if (cut <= base.sequence) return 0
  removeUpTo(db, cut)
  return cut - base.sequence
}

function checkpointUses(db: DatabaseSync): readonly CheckpointUse[] {
  return db
    .prepare('SELECT name, sequence, touched_at FROM checkpoints')
    .all()
    .map((row) => ({
      name: String(row['name']),
      sequence: Number(row['sequence']),
      touchedAt: Number(row['touched_at']),
    }))
}

/** The last fact before `limitAt` among those that this step could remove. */
function tooOld(db: DatabaseSync, limitAt: number): number {
  const oldest = db
    .prepare(
      `SELECT max(sequence) AS sequence FROM
       (SELECT sequence, at FROM facts ORDER BY sequence LIMIT ${stepBlocks * blockSize}) WHERE at < ?`,
    )
    .get(limitAt)
  return Number(oldest?.['sequence'] ?? 0)
}

/** The newest fact that must go for the rest to fit, taking all facts for equally large. */
function tooMuch(
  db: DatabaseSync,
  maxSizeBytes: number,
  { base, head }: { readonly base: Head; readonly head: Head },
): number {
  const value = (pragma: string): number =>
    Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
  const usedBytes = (value('page_count') - value('freelist_count')) * value('page_size')
  const facts = head.sequence - base.sequence
  if (usedBytes <= maxSizeBytes || facts === 0) return 0
  return base.sequence + Math.ceil((facts * (usedBytes - maxSizeBytes)) / usedBytes)
}

/** Removes whole blocks only: so the index entries of the removed facts are exactly those that nobody needs any more. */
function removeUpTo(db: DatabaseSync, cut: number): void {
  const gone = `FROM facts WHERE sequence <= ${cut}`
  const block = `sequence / ${blockSize}`
  db.exec(`
    DELETE FROM kind_blocks WHERE (kind, severity, block) IN (SELECT DISTINCT kind, severity, ${block} ${gone});
    DELETE FROM subject_blocks WHERE (subject, kind, severity, block)
      IN (SELECT DISTINCT subject, kind, severity, ${block} ${gone} AND subject IS NOT NULL);
    DELETE FROM correlation_blocks WHERE (correlation, block)
      IN (SELECT DISTINCT correlation, ${block} ${gone} AND correlation IS NOT NULL);
    UPDATE base SET (sequence, hash, at) =
      (SELECT sequence, lower(hex(hash)), at FROM facts WHERE sequence = ${cut});
    DELETE ${gone};
  `)
}
