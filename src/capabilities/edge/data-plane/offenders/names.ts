import type { EdgePolicy, SenderMinute } from '../../../../contracts/edge-policy.ts'
import { mergeSenders, otherRoutes, type Offenders } from '../../offenders/index.ts'
import type { OffenderBook } from './book.ts'

/** Names of limits and routes, by the numbers under which a thread counts. */
export type OffenderNames = Pick<EdgePolicy, 'limits' | 'routes'>

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

/** Takes a thread's book and puts names in place of numbers. */
export function nameOffenders(book: OffenderBook, names: OffenderNames): Offenders {
  const { offenders, nearMisses } = book.take()
  const limitOf = (index: number): { limit: string; rule: string } => {
    const { name, rule } = names.limits[index] ?? bans
    return { limit: name, rule }
  }
  const routeOf = routeNamer(names)
  return {
    offenders: offenders.map(({ limit, routes: own, ...rest }) => ({
      ...limitOf(limit),
      ...rest,
      routes: own.map(({ slot, admitted, refused }) => ({ route: routeOf(slot), admitted, refused })),
    })),
    nearMisses: nearMisses.map(({ limit, ...rest }) => ({ ...limitOf(limit), ...rest })),
  }
}
