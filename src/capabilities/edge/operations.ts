import {
  edgeFacts,
  edgeOperations,
  mostSpansOfAnswer,
  trafficSpan,
  type TrafficSpan,
} from '../../contracts/edge.ts'
import type { EdgePolicy, EdgeReport } from '../../contracts/edge-policy.ts'
import { bindValue, type Context, type OperationBinding } from '../../kernel/capability/index.ts'
import type { OutputOf } from '../../kernel/std/index.ts'
import { limitsLastHour } from './measures.ts'
import type { NearMissBook, SpanTally } from './offenders/index.ts'
import { limitViews, routeViews, trafficView, type UseGround } from './use.ts'

/** What the operations stand on. */
export interface OperationGround {
  readonly context: Context
  readonly compile: () => EdgePolicy
  /** Of the last minute, oldest first. */
  readonly reports: () => readonly EdgeReport[]
  readonly waivers: ReadonlyMap<string, string>
  readonly nearMisses: NearMissBook
  readonly spans: SpanTally
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
    bindValue(edgeOperations.senders, async ({ since }) => findSenders(ground, since)),
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

const mostOpen = 2
const mostSaid = mostSpansOfAnswer - mostOpen

/** What the timeline has, and what is not over yet. */
async function findSenders(
  { context, spans }: OperationGround,
  asked: number | undefined,
): Promise<OutputOf<typeof edgeOperations.senders>> {
  const since = asked ?? context.clock.now() - 3_600_000
  const facts = await context.timeline.read({
    kinds: [edgeFacts.trafficCounted.kind],
    since,
    limit: mostSaid,
  })
  const said = facts.flatMap(({ data }): TrafficSpan[] => {
    const parsed = trafficSpan.safeParse(data)
    return parsed.success ? [parsed.data] : []
  })
  const last = facts.length === mostSaid ? facts.at(-1) : undefined
  const known = new Set(said.map(({ from }) => from))
  const open = last === undefined ? spans.open().filter(({ from }) => !known.has(from)) : []
  const found = [...said, ...open.slice(-mostOpen)]
  return { says: saySenders(found), spans: found, next: last === undefined ? null : last.at + 1 }
}

function saySenders(spans: readonly TrafficSpan[]): string {
  const counts = new Map<string, number>()
  const sum = (requests: readonly number[]): number => requests.reduce((total, each) => total + each, 0)
  for (const { route, address, who, requests } of spans.flatMap(({ senders }) => senders)) {
    const name = `${who || `ip:${address}`} by ${route}`
    counts.set(name, sum(requests) + (counts.get(name) ?? 0))
  }
  const [top] = [...counts].toSorted(([, a], [, b]) => b - a)
  const total = sum(spans.flatMap(({ routes }) => routes.map(({ requests }) => sum(requests))))
  if (top === undefined) return 'Of nobody is it recorded that they sent anything then.'
  return `Of ${total.toLocaleString('en-GB')} requests ${top[0]} were most, ${top[1].toLocaleString('en-GB')}.`
}
