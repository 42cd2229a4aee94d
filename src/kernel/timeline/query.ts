import { HoldfastError, type Severity } from '../std/index.ts'
import type { Fact, FactQuery } from './port.ts'

/** Severities from harmless to grave; the index is the rank under which they are stored. */
export const severities = ['info', 'notice', 'warning', 'critical'] as const satisfies readonly Severity[]

/** Most facts that one read returns. */
export const maxReadLimit = 10_000

/** A query with its defaults filled in. `after` and `before` are exclusive. */
export interface Search {
  readonly after: number
  readonly before: number
  readonly since: number
  readonly until: number
  /** Exact kinds; empty together with `rooms`: any kind. */
  readonly kinds: readonly string[]
  /** Rooms, as prefixes with their dot: `environment.`. */
  readonly rooms: readonly string[]
  readonly subject: string | null
  readonly correlation: string | null
  /** Index into `severities`. */
  readonly minimumRank: number
  readonly newestFirst: boolean
  readonly limit: number
}

const anything: FactQuery = {
  after: 0,
  before: Number.MAX_SAFE_INTEGER,
  since: 0,
  until: Number.MAX_SAFE_INTEGER,
  kinds: [],
  minimumSeverity: 'info',
  limit: 100,
}

/** Fills in the defaults of a query. Errors: `timeline.invalid-query`. */
export function searchFor(query: FactQuery): Search {
  const { after, before, since, until, kinds, minimumSeverity, limit } = {
    ...anything,
    ...defined(query),
  } as Required<FactQuery>
  if (!Number.isInteger(limit) || limit < 1 || limit > maxReadLimit) {
    throw invalidQuery(`limit is ${limit}, but must be a whole number from 1 to 10,000`, 'limit')
  }
  if (kinds.length > 1000) throw invalidQuery('more than 1,000 kinds are asked for', 'kinds')
  const isRoom = (kind: string): boolean => kind.endsWith('.*')
  return {
    after,
    before,
    since,
    until,
    kinds: kinds.filter((kind) => !isRoom(kind)),
    rooms: kinds.filter(isRoom).map((room) => room.slice(0, -1)),
    subject: query.subject ?? null,
    correlation: query.correlation ?? null,
    minimumRank: severities.indexOf(minimumSeverity),
    newestFirst: query.order === 'newest',
    limit,
  }
}

/** Whoever leaves out a condition by giving `undefined` means the default too. */
function defined(query: FactQuery): FactQuery {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

function invalidQuery(message: string, path: string): HoldfastError {
  return new HoldfastError({
    code: 'timeline.invalid-query',
    kind: 'user',
    message,
    hint: 'ask for less at a time and go on from the last sequence number with `after` or `before`',
    path,
  })
}

/** Whether a kind is among those that are asked for. */
export function kindMatches(search: Pick<Search, 'kinds' | 'rooms'>, kind: string): boolean {
  if (search.kinds.length === 0 && search.rooms.length === 0) return true
  return search.kinds.includes(kind) || search.rooms.some((room) => kind.startsWith(room))
}

/** Whether a fact is one of those that are asked for. */
export function factMatches(search: Search, fact: Fact): boolean {
  return (
    inRange(search, fact) &&
    kindMatches(search, fact.kind) &&
    severities.indexOf(fact.severity) >= search.minimumRank &&
    (search.subject === null || fact.subject === search.subject) &&
    (search.correlation === null || fact.correlation === search.correlation)
  )
}

function inRange(search: Search, { sequence, at }: Fact): boolean {
  return sequence > search.after && sequence < search.before && at >= search.since && at < search.until
}
