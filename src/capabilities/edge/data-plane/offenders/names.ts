import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'
import { otherRoutes, type Offenders } from '../../offenders/index.ts'
import type { OffenderBook } from './book.ts'

/** Names of limits and routes, by the numbers under which a thread counts. */
export type OffenderNames = Pick<EdgePolicy, 'limits' | 'routes'>

/** A ban has no rule. */
const bans = { name: 'edge.ban', rule: '' }

/** Takes a thread's book and puts names in place of numbers. */
export function nameOffenders(book: OffenderBook, { limits, routes }: OffenderNames): Offenders {
  const { offenders, nearMisses } = book.take()
  const limitOf = (index: number): { limit: string; rule: string } => {
    const { name, rule } = limits[index] ?? bans
    return { limit: name, rule }
  }
  const routeOf = (slot: number): string =>
    slot < 0 ? otherRoutes : (routes[slot]?.name ?? (slot === routes.length ? '(unmatched)' : otherRoutes))
  return {
    offenders: offenders.map(({ limit, routes: own, ...rest }) => ({
      ...limitOf(limit),
      ...rest,
      routes: own.map(({ slot, admitted, refused }) => ({ route: routeOf(slot), admitted, refused })),
    })),
    nearMisses: nearMisses.map(({ limit, ...rest }) => ({ ...limitOf(limit), ...rest })),
  }
}
