import { edgeOperations } from '../../contracts/edge.ts'
import type { EdgePolicy, EdgeReport } from '../../contracts/edge-policy.ts'
import { bindValue, type Context, type OperationBinding } from '../../kernel/capability/index.ts'
import type { OutputOf } from '../../kernel/std/index.ts'
import { limitsLastHour } from './measures.ts'
import type { NearMissBook } from './offenders/index.ts'
import { limitViews, routeViews, trafficView, type UseGround } from './use.ts'

/** What the operations stand on. */
export interface OperationGround {
  readonly context: Context
  readonly compile: () => EdgePolicy
  /** Of the last minute, oldest first. */
  readonly reports: () => readonly EdgeReport[]
  readonly waivers: ReadonlyMap<string, string>
  readonly nearMisses: NearMissBook
}

/** The hour is asked for anew after so long; pages ask every other second. */
const hourFreshMs = 5000

/** Binds the operations of the edge. */
export function bindOperations(ground: OperationGround): readonly OperationBinding[] {
  const hour = createHour(ground.context)
  const startedAt = ground.context.clock.now()
  const use = async (): Promise<UseGround> => ({
    policy: ground.compile(),
    reports: ground.reports(),
    waivers: ground.waivers,
    lastHour: await hour(),
  })
  return [
    bindValue(edgeOperations.traffic, async () =>
      trafficView({ policy: ground.compile(), reports: ground.reports() }),
    ),
    bindValue(edgeOperations.routes, async () => {
      const routes = routeViews(await use())
      const named = routes.filter(({ to }) => to !== '')
      const limited = named.filter(({ limits }) => limits.length > 0).length
      const waived = named.length - limited
      const says = `${named.length === 1 ? '1 route' : `${named.length} routes`}, ${waived === 0 ? 'each with a limit' : `${waived} without a limit for now`}.`
      return { says, routes }
    }),
    bindValue(edgeOperations.limits, async () => {
      const limits = limitViews(await use())
      const biting = limits.filter(({ refused }) => refused.lastMinute > 0).length
      return {
        says: `${limits.length === 1 ? '1 limit' : `${limits.length} limits`}, ${biting === 0 ? 'none' : biting} of them refused something in the last minute.`,
        limits,
      }
    }),
    bindValue(edgeOperations.nearMisses, async () => sayNearMisses(ground, startedAt)),
  ]
}

function createHour({ clock, series }: Context): () => Promise<UseGround['lastHour']> {
  let known: { readonly atMs: number; readonly value: Promise<UseGround['lastHour']> } | null = null
  return () => {
    const atMs = clock.monotonicMs()
    if (known === null || atMs - known.atMs > hourFreshMs) {
      const value = limitsLastHour(series, clock.now()).catch(() => new Map() as UseGround['lastHour'])
      known = { atMs, value }
    }
    return known.value
  }
}

const mostNearMisses = 100

function sayNearMisses(
  { context, nearMisses }: OperationGround,
  startedAt: number,
): OutputOf<typeof edgeOperations.nearMisses> {
  const nowMs = context.clock.now()
  const list = nearMisses.recent(nowMs).slice(0, mostNearMisses)
  const [nearest] = list
  const says =
    nearest === undefined
      ? 'Nobody came near a limit of the edge in the last hour without being refused.'
      : `${list.length === 1 ? '1 subject' : `${list.length} subjects`} had at least 80 % of a limit in use in the last hour and was not refused; nearest ${nearest.subject || 'everybody together'}, ${Math.round(nearest.share * 100)} % of ${nearest.limit}.`
  return {
    says,
    since: Math.max(startedAt, nowMs - 3_600_000),
    nearMisses: list.map((each) => ({ ...each })),
  }
}
