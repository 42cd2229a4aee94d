import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'
import type { Limiter } from '../../../../kernel/limit/index.ts'
import { createRouter } from '../../pipeline/index.ts'
import { createBounds, type Bounds, type PreparedLimit } from '../limits/index.ts'
import { Watch, type OffenderBook } from '../offenders/index.ts'

/** What bounds a request of the past, by what is known of it. */
export interface PastBounds {
  readonly slot: number
  /** Everything, for a request whose duration is known. */
  readonly whole: Bounds
  readonly wholeUpgrade: Bounds
  /** Without what goes on at once. */
  readonly lasting: Bounds
  readonly lastingUpgrade: Bounds
  /** Only what counts by who sent it, or everybody together: as much as a roll-up knows. */
  readonly rolled: Bounds
  /** Only what counts everybody together. */
  readonly together: Bounds
  /** The limits of what goes on at once. */
  readonly leases: readonly PreparedLimit[]
}

/** Finds what bounds a request. */
export interface PastRoutes {
  /** Null: no route matches. */
  find(method: string, host: string, path: string): PastBounds | null
  /** By the name of a route of then; null: no route has it or matches what it matched. */
  named(name: string): PastBounds | null
  readonly unmatched: PastBounds
}

const knownOfSenders: ReadonlySet<string> = new Set(['ip', 'prefix', 'route', 'user', 'key', 'client'])

/** Whether a roll-up knows enough of a request to count it by this limit. */
export function isRolled({ isLease, parsed }: PreparedLimit): boolean {
  return !isLease && parsed.per.every((dimension) => knownOfSenders.has(dimension))
}

const countsTogether = (limit: PreparedLimit): boolean =>
  isRolled(limit) && limit.parsed.per.every((dimension) => dimension === 'route')

/** What bounds are prepared from. */
export interface PastGround {
  readonly policy: EdgePolicy
  readonly limiter: Limiter
  readonly limits: readonly PreparedLimit[]
  readonly book: OffenderBook
}

type Parts = Pick<Bounds, 'name' | 'slot' | 'cost'> & {
  readonly allow: readonly string[]
  readonly indexes: readonly number[]
}

/** Prepares the routes of a policy for requests of the past. */
export function pastRoutes(ground: PastGround): PastRoutes {
  const { policy } = ground
  const entries = policy.routes.map((route, slot) => {
    const { name, cost, limits: indexes } = route
    const allow = [...policy.allow, ...route.allow]
    return { route, value: pastBounds(ground, { name, slot, cost, allow, indexes }) }
  })
  const rest = { name: '(unmatched)', slot: entries.length, cost: 1, allow: policy.allow }
  const unmatched = pastBounds(ground, { ...rest, indexes: policy.unmatchedLimits })
  const byName = new Map(entries.map(({ route, value }) => [route.name, value]))
  const router = createRouter(entries)
  return {
    find: (method, host, path) => router.find(method, host, path),
    named: (name) => {
      const known = byName.get(name)
      if (known !== undefined) return known
      const like = exampleOf(name)
      return like === null ? null : router.find(like.method, like.host, like.path)
    },
    unmatched,
  }
}

function pastBounds({ policy, limiter, limits, book }: PastGround, parts: Parts): PastBounds {
  const { indexes, ...rest } = parts
  const watch = new Watch(book, limiter, parts.slot)
  const some = (which: readonly number[]): PreparedLimit[] => which.flatMap((index) => limits[index] ?? [])
  const own = some(indexes)
  const upgrade = some([...indexes, ...policy.upgradeLimits])
  const of = (chosen: readonly PreparedLimit[]): Bounds =>
    createBounds({ ...rest, limits: chosen, saysFields: false, watch })
  const isLasting = ({ isLease }: PreparedLimit): boolean => !isLease
  return {
    slot: parts.slot,
    whole: of(own),
    wholeUpgrade: of(upgrade),
    lasting: of(own.filter(isLasting)),
    lastingUpgrade: of(upgrade.filter(isLasting)),
    rolled: of(own.filter(isRolled)),
    together: of(own.filter(countsTogether)),
    leases: upgrade.filter(({ isLease }) => isLease),
  }
}

/** A request that a route of that name matches; null: it is the name of no route. */
function exampleOf(
  name: string,
): { readonly method: string; readonly host: string; readonly path: string } | null {
  const match = /^(?:(\S+)\s+)?([^\s/]*)(\/\S*)$/.exec(name)
  if (match === null) return null
  const [, method = 'GET', host = '', path = '/'] = match
  return {
    method,
    host: host.toLowerCase().replace('*.', 'x.'),
    path: path.replaceAll(/:[^/]+/g, 'x').replace('*', 'x'),
  }
}
