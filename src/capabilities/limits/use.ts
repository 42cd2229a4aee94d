import { edgeOperations, type LimitView } from '../../contracts/edge.ts'
import { limitsOperations } from '../../contracts/limits.ts'
import { bindValue, type Context, type OperationBinding } from '../../kernel/capability/index.ts'
import { measured, type SeriesStore } from '../../kernel/series/index.ts'
import { plainError, type OutputOf } from '../../kernel/std/index.ts'
import type { Meter } from './ledger/index.ts'
import { fullName, type AppLimit } from './rules.ts'

/** What was decided, in takes. */
interface Counts {
  readonly admitted: number
  readonly refused: number
  readonly wouldRefuse: number
}

const kinds = ['admitted', 'refused', 'wouldRefuse'] as const
const seriesOf = {
  admitted: 'limits.admitted',
  refused: 'limits.refused',
  wouldRefuse: 'limits.would-refuse',
} as const
const none: Counts = { admitted: 0, refused: 0, wouldRefuse: 0 }
const seconds = 60

type Second = ReadonlyMap<string, Counts>

const keyOf = (limit: string, rule: string): string => `${limit}\n${rule}`

function minus(now: Counts, before: Counts): Counts {
  return {
    admitted: now.admitted - before.admitted,
    refused: now.refused - before.refused,
    wouldRefuse: now.wouldRefuse - before.wouldRefuse,
  }
}

function plus(a: Counts, b: Counts): Counts {
  return minus(a, { admitted: -b.admitted, refused: -b.refused, wouldRefuse: -b.wouldRefuse })
}

/** Follows what the rules decide, a second at a time. */
export interface UseWatch {
  /** Of the last minute, by limit and rule. */
  lastMinute(): Second
  stop(): void
}

/** Starts to follow; what was decided before counts as known. */
export function watchUse({ clock, series }: Context, meter: Meter): UseWatch {
  const look = (): Second =>
    new Map(meter.counts().map(({ name, rule, ...counts }) => [keyOf(name, rule.text), counts]))
  let before = look()
  let kept: readonly Second[] = []
  const end = clock.every(1000, () => {
    const now = look()
    const second = new Map([...now].map(([key, counts]) => [key, minus(counts, before.get(key) ?? none)]))
    before = now
    kept = [...kept, second].slice(-seconds)
    record(series, second, clock.now())
  })
  return {
    lastMinute: () => {
      const sums = new Map<string, Counts>()
      for (const second of kept) {
        for (const [key, counts] of second) sums.set(key, plus(sums.get(key) ?? none, counts))
      }
      return sums
    },
    stop: end,
  }
}

function record(series: SeriesStore, second: Second, at: number): void {
  for (const [key, counts] of second) {
    const [limit = '', rule = ''] = key.split('\n')
    for (const kind of kinds) {
      if (counts[kind] <= 0) continue
      series.record({ name: seriesOf[kind], labels: { limit, rule } }, 'counter', measured(at, counts[kind]))
    }
  }
}

async function lastHour(series: SeriesStore, nowMs: number): Promise<Second> {
  const span = { from: nowMs - 3_600_000, to: nowMs, maxPoints: 60 }
  const sums = new Map<string, Counts>()
  for (const kind of kinds) {
    for (const { key, points } of await series.query({ name: seriesOf[kind], ...span })) {
      const id = keyOf(key.labels['limit'] ?? '', key.labels['rule'] ?? '')
      const sum = points.reduce((total, point) => total + point.sum, 0)
      sums.set(id, plus(sums.get(id) ?? none, { ...none, [kind]: sum }))
    }
  }
  return sums
}

/** What the list stands on. */
export interface ListGround {
  readonly context: Context
  readonly limits: readonly AppLimit[]
  readonly lastMinute: () => Second
}

type Listed = OutputOf<typeof limitsOperations.list>['limits'][number]

function own({ limits }: ListGround, minute: Second, hour: Second): Listed[] {
  return limits.flatMap(({ name, rules, fast }) =>
    rules.map(({ text, rule }): Listed => {
      const key = keyOf(fullName(name), text)
      const tally = (kind: (typeof kinds)[number]) => {
        const now = minute.get(key)?.[kind] ?? 0
        // The hour comes from measurements, which are a moment behind.
        return { lastMinute: now, lastHour: Math.max(now, hour.get(key)?.[kind] ?? 0) }
      }
      return {
        name: fullName(name),
        rule: text,
        route: null,
        dryRun: rule.dryRun,
        admitted: tally('admitted'),
        refused: tally('refused'),
        wouldRefuse: tally('wouldRefuse'),
        door: 'app',
        fast,
      }
    }),
  )
}

/** The edge's limits; none, with a line in the log, while it does not say. */
async function edgeLimits({ context }: ListGround): Promise<readonly LimitView[]> {
  try {
    return (await context.call(edgeOperations.limits, {})).limits
  } catch (error) {
    context.log.warn({ error: plainError(error).message }, 'the edge does not say its limits')
    return []
  }
}

function sayLimits(limits: readonly Listed[]): string {
  const biting = limits.filter(({ refused }) => refused.lastMinute > 0)
  if (limits.length === 0) return 'There are no limits.'
  const names = [...new Set(biting.map(({ name }) => name))]
  if (names.length === 0) return `${limits.length} limits, and none refused anything in the last minute.`
  return `${limits.length} limits, of which ${names.slice(0, 5).join(', ')} refused something in the last minute.`
}

/** Binds the list of all limits. */
export function bindList(ground: ListGround): OperationBinding {
  return bindValue(limitsOperations.list, async () => {
    const { series, clock } = ground.context
    const hour = await lastHour(series, clock.now())
    const edge = await edgeLimits(ground)
    const limits = [
      ...own(ground, ground.lastMinute(), hour),
      ...edge.map((view): Listed => ({ ...view, door: 'edge', fast: false })),
    ]
    return { says: sayLimits(limits), limits }
  })
}
