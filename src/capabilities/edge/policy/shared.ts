import type { EdgePolicy } from '../../../contracts/edge-policy.ts'
import { parseLimit } from '../../../kernel/limit/index.ts'
import type { EdgeConfig } from '../config.ts'
import { invalid } from './invalid.ts'

/** The store counts in whole microseconds, below 2^53 of them. */
const longestRefillMs = 100 * 366 * 86_400_000

/**
 * Which limits edges keep together, and how; those that belong to no route are each edge's own. Errors: those of
 * `compilePolicy`.
 */
export function compileShared(
  { shared, routes }: EdgeConfig,
  compiled: EdgePolicy['routes'],
  limits: EdgePolicy['limits'],
): Pick<EdgePolicy, 'shared'> {
  if (shared === undefined) return {}
  const { redis, whenDown, ...how } = shared
  const together = compiled.filter(({ name }) => routes[name]?.shared !== false)
  for (const route of together) {
    for (const index of route.limits) checkRefill(`edge.routes.${route.name}.limit`, limits[index]?.rule)
  }
  const ofRoute = ({ name, limits: indexes }: EdgePolicy['routes'][number]) => {
    const own = routes[name]?.shared
    const how = typeof own === 'object' ? own : { whenDown }
    return indexes.map((limit) => ({ limit, ...how }))
  }
  return { shared: { url: redis, ...how, limits: together.flatMap(ofRoute) } }
}

function checkRefill(path: string, written: string | undefined): void {
  if (written === undefined) return
  const { kind, count, periodMs, burst } = parseLimit(written)
  if (kind !== 'rate' || (burst / count) * periodMs <= longestRefillMs) return
  throw invalid(
    path,
    `"${written}" takes more than a hundred years to fill up, which edges cannot count together`,
    'write a smaller burst, or shared: false beside it',
  )
}
