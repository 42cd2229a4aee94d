import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { kindMatches, severities, type Search } from '../query.ts'
import { blockOf, blockSize } from '../retention.ts'
import { factColumns, type FactRow } from './schema.ts'

/** Runs searches on one connection. */
export type Searcher = (search: Search) => readonly FactRow[]

/** One index entry's prefix: all blocks with a fact of this kind and severity (of the subject that is asked for). */
interface Group {
  readonly kind: number
  readonly severity: number
}

/** Sequence numbers that a search is confined to, both included. */
interface Bounds {
  readonly lowest: number
  readonly highest: number
}

type Value = string | number

const pageBlocks = 64

/**
 * Creates a searcher. A search with conditions merges the block lists of all (kind, severity) groups that it
 * asks for, newest or oldest block first, and looks through each block until it has enough: so it costs the number of
 * facts found plus the number of groups, and not the length of the timeline.
 */
export function createSearcher(db: DatabaseSync): Searcher {
  const statements = createStatements(db)
  const firstAt = statements('SELECT sequence FROM facts WHERE sequence >= ? ORDER BY sequence LIMIT 1')
  const boundsOf = (search: Search): Bounds => {
    // Two subqueries: with both in one, SQLite would walk the whole table.
    const ends = statements(
      'SELECT (SELECT min(sequence) FROM facts) AS low, (SELECT max(sequence) FROM facts) AS high',
    ).get() as {
      readonly low: number | null
      readonly high: number | null
    }
    const low = Math.max(ends.low ?? 1, search.after + 1)
    const high = Math.min(ends.high ?? 0, search.before - 1)
    return {
      lowest:
        search.since > 0 ? Math.max(low, sequenceFrom(search.since, ends.low ?? 1, ends.high ?? 0)) : low,
      highest:
        search.until < Number.MAX_SAFE_INTEGER
          ? Math.min(high, sequenceFrom(search.until, ends.low ?? 1, ends.high ?? 0) - 1)
          : high,
    }
  }
  /** The first sequence number at or after a time. Times never decrease along the chain, so halving finds it. */
  const sequenceFrom = (at: number, lowest: number, highest: number): number => {
    const atOf = statements('SELECT at FROM facts WHERE sequence = ?')
    let low = lowest
    let high = highest + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const near = (firstAt.get(middle) as { sequence: number } | undefined)?.sequence ?? high
      const found = (atOf.get(near) as { at: number } | undefined)?.at ?? Number.MAX_SAFE_INTEGER
      if (found < at) low = middle + 1
      else high = middle
    }
    return low
  }
  return (search) => {
    const bounds = boundsOf(search)
    if (bounds.lowest > bounds.highest) return []
    const ranges = isUnfiltered(search) ? [bounds] : blockRanges(statements, search, bounds)
    return collect(statements, search, ranges)
  }
}

type Statements = (sql: string) => StatementSync

/** Prepares each statement once; the number of shapes is small, and bounded anyhow. */
function createStatements(db: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>()
  return (sql) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    if (prepared.size >= 200) prepared.clear()
    const statement = db.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
}

function isUnfiltered(search: Search): boolean {
  const { kinds, rooms, subject, correlation, minimumRank } = search
  return kinds.length + rooms.length + minimumRank === 0 && subject === null && correlation === null
}

/** Looks through ranges, in their order, until the limit is reached. */
function collect(statements: Statements, search: Search, ranges: Iterable<Bounds>): readonly FactRow[] {
  const { conditions, values } = conditionsOf(statements, search)
  const statement = statements(
    `SELECT ${factColumns} FROM facts WHERE sequence BETWEEN ? AND ?${conditions}
     ORDER BY sequence ${search.newestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
  )
  const found: FactRow[] = []
  for (const { lowest, highest } of ranges) {
    const rows = statement.all(lowest, highest, ...values, search.limit - found.length)
    for (const row of rows) found.push(row as unknown as FactRow)
    if (found.length >= search.limit) break
  }
  return found
}

interface Conditions {
  readonly conditions: string
  readonly values: readonly Value[]
}

function conditionsOf(statements: Statements, search: Search): Conditions {
  const { subject, correlation, minimumRank, kinds, rooms } = search
  const wanted: [string, Value][] = []
  if (subject !== null) wanted.push([' AND subject = ?', subject])
  if (correlation !== null) wanted.push([' AND correlation = ?', correlation])
  if (minimumRank > 0) wanted.push([' AND severity >= ?', minimumRank])
  if (kinds.length + rooms.length > 0) {
    const numbers = kindsWanted(statements, search).map(({ number }) => number)
    wanted.push([' AND kind IN (SELECT value FROM json_each(?))', JSON.stringify(numbers)])
  }
  return {
    conditions: wanted.map(([condition]) => condition).join(''),
    values: wanted.map(([, value]) => value),
  }
}

/** The blocks that may hold what is asked for, as ranges of sequence numbers. */
function* blockRanges(statements: Statements, search: Search, bounds: Bounds): Generator<Bounds> {
  let previous = -1
  for (const block of mergedBlocks(blockLists(statements, search, bounds), search.newestFirst)) {
    if (block === previous) continue
    previous = block
    yield {
      lowest: Math.max(bounds.lowest, block * blockSize),
      highest: Math.min(bounds.highest, block * blockSize + blockSize - 1),
    }
  }
}

/** A list of blocks in order, read page by page. */
type BlockList = Generator<number>

function blockLists(statements: Statements, search: Search, bounds: Bounds): readonly BlockList[] {
  const list = (table: string, columns: readonly string[], values: readonly Value[]): BlockList =>
    blocksIn(statements, { table, columns, values, newestFirst: search.newestFirst, bounds })
  const { subject, correlation } = search
  if (correlation !== null) return [list('correlation_blocks', ['correlation'], [correlation])]
  if (subject !== null) {
    return groupsOfSubject(statements, search, subject).map(({ kind, severity }) =>
      list('subject_blocks', ['subject', 'kind', 'severity'], [subject, kind, severity]),
    )
  }
  return groupsOfKinds(statements, search).map(({ kind, severity }) =>
    list('kind_blocks', ['kind', 'severity'], [kind, severity]),
  )
}

interface ListSource {
  readonly table: string
  readonly columns: readonly string[]
  readonly values: readonly Value[]
  readonly newestFirst: boolean
  readonly bounds: Bounds
}

function* blocksIn(statements: Statements, source: ListSource): BlockList {
  const { table, columns, values, newestFirst, bounds } = source
  const statement = statements(
    `SELECT block FROM ${table} WHERE ${columns.map((column) => `${column} = ?`).join(' AND ')}
     AND block BETWEEN ? AND ? ORDER BY block ${newestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
  )
  let low = blockOf(bounds.lowest)
  let high = blockOf(bounds.highest)
  for (let limit = 4; low <= high; limit = pageBlocks) {
    const page = statement.all(...values, low, high, limit) as unknown as { readonly block: number }[]
    for (const { block } of page) yield block
    const last = page.at(-1)
    if (last === undefined || page.length < limit) return
    if (newestFirst) high = last.block - 1
    else low = last.block + 1
  }
}

/** Which (kind, severity) groups a subject has, found by leaping from one to the next along the index. */
function groupsOfSubject(statements: Statements, search: Search, subject: string): readonly Group[] {
  const next = statements(
    `SELECT kind, severity FROM subject_blocks WHERE subject = ? AND (kind, severity) > (?, ?)
     ORDER BY kind, severity LIMIT 1`,
  )
  const wanted = new Set(kindsWanted(statements, search).map(({ number }) => number))
  const groups: Group[] = []
  let last: Group = { kind: -1, severity: -1 }
  for (;;) {
    const group = next.get(subject, last.kind, last.severity) as Group | undefined
    if (group === undefined) return groups
    last = group
    if (group.severity >= search.minimumRank && wanted.has(group.kind)) groups.push(group)
  }
}

function groupsOfKinds(statements: Statements, search: Search): readonly Group[] {
  const ranks = severities.map((_, rank) => rank).filter((rank) => rank >= search.minimumRank)
  return kindsWanted(statements, search).flatMap(({ number }) =>
    ranks.map((severity) => ({ kind: number, severity })),
  )
}

interface Kind {
  readonly number: number
  readonly kind: string
}

function kindsWanted(statements: Statements, search: Search): readonly Kind[] {
  const kinds = statements('SELECT number, kind FROM kinds').all() as unknown as readonly Kind[]
  return kinds.filter(({ kind }) => kindMatches(search, kind))
}

/** Merges ordered lists into one; a block that is in several lists comes several times, one after the other. */
function* mergedBlocks(lists: readonly BlockList[], newestFirst: boolean): Generator<number> {
  const open = lists.flatMap((list) => opened(list))
  while (open.length > 0) {
    const next = open.reduce((best, candidate) =>
      (newestFirst ? candidate.block > best.block : candidate.block < best.block) ? candidate : best,
    )
    yield next.block
    const following = next.list.next()
    if (following.done === true) open.splice(open.indexOf(next), 1)
    else next.block = following.value
  }
}

function opened(list: BlockList): { block: number; readonly list: BlockList }[] {
  const first = list.next()
  return first.done === true ? [] : [{ block: first.value, list }]
}
