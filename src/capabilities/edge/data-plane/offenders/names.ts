import type { EdgePolicy, EdgeRoute, SenderMinute } from '../../../../contracts/edge-policy.ts'
import type { RefusedEntry } from '../../../../contracts/limits.ts'
import { parseLimit } from '../../../../kernel/limit/index.ts'
import { mergeSenders, otherRoutes, type Offenders } from '../../offenders/index.ts'
import type { Offender, OffenderBook } from './book.ts'

/** Names of limits and routes, by the numbers under which a thread counts. */
export type OffenderNames = Pick<EdgePolicy, 'limits' | 'routes' | 'upgradeLimits'>

/** A ban has no rule. */
const bans = { name: 'edge.ban', rule: '' }

/** Most that a thread tells of a minute. */
const mostSenders = 96

function routeNamer({ routes }: OffenderNames): (slot: number) => string {
  return (slot) =>
    slot < 0 ? otherRoutes : (routes[slot]?.name ?? (slot === routes.length ? '(unmatched)' : otherRoutes))
}

/** Takes who sent most in a minute, with names in place of numbers. */
export function nameSenders(book: OffenderBook, names: OffenderNames, minute: number): SenderMinute[] {
  const routeOf = routeNamer(names)
  const sent = book.senders.take().map(({ slot, ...rest }) => ({ route: routeOf(slot), minute, ...rest }))
  return mergeSenders(sent, mostSenders)
}

/** What requests took of a limit, where its routes have a cost; nothing: one unit each. */
function unitsOf(offender: Offender, names: OffenderNames): Pick<RefusedEntry, 'units'> {
  const { limit, routes: own, wouldRefuse } = offender
  const costBy = (slot: number): number => costOf(limit, names.routes[slot], names)
  const sum = (what: 'admitted' | 'refused'): number =>
    own.reduce((total, each) => total + each[what] * costBy(each.slot), 0)
  const home = names.routes.findIndex(({ limits }) => limits.includes(limit))
  const units = {
    refused: sum('refused'),
    admitted: sum('admitted'),
    wouldRefuse: wouldRefuse * costBy(home),
  }
  const isOneEach = units.refused === offender.refused && units.admitted === offender.admitted
  return isOneEach && units.wouldRefuse === wouldRefuse ? {} : { units }
}

/** Messages, errors and what goes on at once take one unit, whatever a request of the route costs. */
function costOf(
  limit: number,
  route: EdgeRoute | undefined,
  { limits, upgradeLimits }: OffenderNames,
): number {
  if (route === undefined || route.cost === 1) return 1
  if (!route.limits.includes(limit) && !upgradeLimits.includes(limit)) return 1
  return parseLimit(limits[limit]?.rule ?? '').kind === 'concurrency' ? 1 : route.cost
}

/** Takes a thread's book and puts names in place of numbers. */
export function nameOffenders(book: OffenderBook, names: OffenderNames): Offenders {
  const { offenders, nearMisses } = book.take()
  const limitOf = (index: number): { limit: string; rule: string } => {
    const { name, rule } = names.limits[index] ?? bans
    return { limit: name, rule }
  }
  const routeOf = routeNamer(names)
  return {
    offenders: offenders.map((offender) => {
      const { limit, routes: own, ...rest } = offender
      return {
        ...limitOf(limit),
        ...rest,
        ...unitsOf(offender, names),
        routes: own.map(({ slot, admitted, refused }) => ({ route: routeOf(slot), admitted, refused })),
      }
    }),
    nearMisses: nearMisses.map(({ limit, ...rest }) => ({ ...limitOf(limit), ...rest })),
  }
}
