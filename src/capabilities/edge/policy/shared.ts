import type { EdgePolicy } from '../../../contracts/edge-policy.ts'
import { parseLimit } from '../../../kernel/limit/index.ts'
import type { EdgeConfig } from '../config.ts'
import { invalid } from './invalid.ts'
import { secretPlaceOf } from './secret-place.ts'

/** The store counts in whole microseconds, below 2^53 of them. */
const longestRefillMs = 100 * 366 * 86_400_000

type Shared = NonNullable<EdgePolicy['shared']>
type How = Pick<Shared['limits'][number], 'mode' | 'whenDown'>
type Compiled = Pick<EdgePolicy, 'routes' | 'limits' | 'unmatchedLimits' | 'upgradeLimits' | 'errorLimits'>

/** Limits of one key of the file, and how edges share them. */
interface Together {
  readonly path: string
  readonly limits: readonly number[]
  readonly how: How
}

/**
 * Which limits edges keep together, and how. Not those for proofs of identity and passports: they bound what one edge
 * computes and signs. Errors: those of `compilePolicy`.
 */
export function compileShared(
  { shared, routes }: EdgeConfig,
  compiled: Compiled,
  directory: string | undefined,
): Pick<EdgePolicy, 'shared'> {
  if (shared === undefined) return {}
  const { redis, passwordFile, passwordVariable, whenDown, mode, edges } = shared
  const hasPassword = (passwordFile ?? passwordVariable) !== undefined
  const password = secretPlaceOf({ file: passwordFile, variable: passwordVariable }, directory)
  const together = [...ofRoutes(routes, compiled, whenDown), ...ofAll(compiled, whenDown)]
  const limits = together.flatMap(({ path, limits: indexes, how }) =>
    indexes.map((limit) => {
      checkRefill(path, compiled.limits[limit]?.rule)
      return { limit, ...how }
    }),
  )
  return { shared: { url: redis, ...(hasPassword ? { password } : {}), mode, edges, limits } }
}

function ofRoutes(
  written: EdgeConfig['routes'],
  { routes }: Compiled,
  whenDown: How['whenDown'],
): readonly Together[] {
  return routes.flatMap(({ name, limits, messageLimits }) => {
    const own = written[name]?.shared
    if (own === false) return []
    const { mode, whenDown: ownWhenDown = whenDown } = typeof own === 'object' ? own : {}
    const how = { whenDown: ownWhenDown, ...(mode === undefined ? {} : { mode }) }
    const path = `edge.routes.${name}`
    return [
      { path: `${path}.limit`, limits, how },
      { path: `${path}.messages`, limits: messageLimits, how },
    ]
  })
}

/**
 * Errors are counted behind the answer, so that nobody waits for them: there is nothing that leases would make faster, and
 * nothing that "closed" would keep from happening.
 */
function ofAll(
  { unmatchedLimits, upgradeLimits, errorLimits }: Compiled,
  whenDown: How['whenDown'],
): readonly Together[] {
  const errors = { whenDown: whenDown === 'closed' ? 'local-share' : whenDown, mode: 'exact' } as const
  return [
    { path: 'edge.unmatched', limits: unmatchedLimits, how: { whenDown } },
    { path: 'edge.upgrades', limits: upgradeLimits, how: { whenDown } },
    { path: 'edge.errors', limits: errorLimits, how: errors },
  ]
}

function checkRefill(path: string, written: string | undefined): void {
  if (written === undefined) return
  const { kind, count, periodMs, burst } = parseLimit(written)
  if (kind !== 'rate' || (burst / count) * periodMs <= longestRefillMs) return
  const isOfRoute = path.startsWith('edge.routes.')
  throw invalid(
    path,
    `"${written}" takes more than a hundred years to fill up, which edges cannot count together`,
    `write a smaller burst${isOfRoute ? ', or shared: false beside it' : ''}`,
  )
}
