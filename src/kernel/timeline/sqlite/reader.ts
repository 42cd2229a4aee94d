import type { DatabaseSync } from 'node:sqlite'
import { checkLink, type Entry } from '../chain.ts'
import { headOf } from '../lines.ts'
import type { JsonObject } from '../../std/index.ts'
import type { Head } from '../port.ts'
import type { Handlers } from '../../store/index.ts'
import type { ReaderCalls, WalkStep } from './protocol.ts'
import { baseQuery, entryColumns, entryOf, headFrom, type EntryRow } from './schema.ts'
import { createSearcher } from './search.ts'

/** Facts in one step of a walk or an export: short enough that a read need not wait long behind it. */
const stepFacts = 500

/** What a reader does, on its own connection; every call sees one consistent state. */
export function createReader(db: DatabaseSync): Omit<Handlers<ReaderCalls>, 'open'> {
  const searcher = createSearcher(db)
  const base = db.prepare(baseQuery)
  const run = db.prepare(
    `SELECT ${entryColumns} FROM facts WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ${stepFacts}`,
  )
  const entries = (after: number, end: number): readonly Entry[] =>
    (run.all(after, end) as unknown as EntryRow[]).map(entryOf)
  const consistently = <T>(act: () => T): T => {
    db.exec('BEGIN')
    try {
      return act()
    } finally {
      db.exec('COMMIT')
    }
  }
  return {
    read: (search) => consistently(() => searcher(search)),
    walk: ({ from, end }) =>
      consistently(() => {
        const start = headFrom(base.get())
        // Retention may have passed the walk meanwhile: then it begins anew where the chain now begins.
        const cursor = from === null || from.sequence < start.sequence ? start : from
        return walkOn(start, cursor, { end, entries: entries(cursor.sequence, end) })
      }),
    entries: ({ after, end }) => entries(after, end),
    base: () => headFrom(base.get()),
    checkpoints: () =>
      db
        .prepare('SELECT name, sequence, state FROM checkpoints ORDER BY name')
        .all()
        .map(({ name, sequence, state }) => ({
          name: String(name),
          sequence: Number(sequence),
          state: JSON.parse(String(state)) as JsonObject,
        })),
    close: () => {
      db.close()
      return null
    },
  }
}

function walkOn(
  base: Head,
  from: Head,
  { end, entries }: { readonly end: number; readonly entries: readonly Entry[] },
): WalkStep {
  let head = from
  for (const entry of entries) {
    const broken = checkLink(head, entry)
    if (broken !== null) return { base, head, checked: head.sequence - from.sequence, broken }
    head = headOf(entry)
  }
  const missing = head.sequence + 1
  const broken =
    entries.length === 0 && head.sequence < end
      ? { sequence: missing, why: `fact ${missing} is missing` }
      : null
  return { base, head, checked: head.sequence - from.sequence, broken }
}
