import { edgeFacts, edgeOperations } from '../../../contracts/edge.ts'
import { explainOperations } from '../../../contracts/limits/explain.ts'
import { limitsFacts } from '../../../contracts/limits.ts'
import { bindValue, type Context, type OperationBinding } from '../../../kernel/capability/index.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'
import { fullName, type AppLimit } from '../rules.ts'
import { explain, type Evidence } from './explain.ts'
import { holdingKinds } from './holdings.ts'
import { sumOffenders } from './offenders.ts'
import { saidMinutes } from './spells.ts'

/** What the operations stand on. */
export interface ExplainGround {
  readonly context: Context
  /** The application limits. */
  readonly own: readonly AppLimit[]
}

const hourMs = 3_600_000
const weekMs = 7 * 24 * hourMs
/** A minute is said after it has ended; up to so long after, when control was away. */
const delayMs = 600_000
const mostFacts = 10_000

/** Binds the operations that answer from the timeline. */
export function bindExplain(ground: ExplainGround): readonly OperationBinding[] {
  const { context } = ground
  return [
    bindValue(explainOperations.explain, async ({ subject, at, limit }) => {
      const nowMs = context.clock.now()
      const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
      const asked = at ?? nowMs
      const span = { from: asked - hourMs, until: Math.min(asked + hourMs, Math.max(nowMs, asked)) }
      const [refusals, missed, holdings, reach, limits] = await Promise.all([
        readRefusals(context, span),
        readAround(context, [edgeFacts.reportsMissed.kind], span),
        readHoldings(context),
        context.timeline.read({ order: 'oldest', limit: 1 }),
        limitsNow(ground),
      ])
      const reachesBackTo = reach[0]?.at ?? null
      const evidence = { refusals, missed, holdings, ...span, reachesBackTo, limits, nowMs, zone }
      return explain({ subject, at: asked, limit }, evidence)
    }),
    bindValue(explainOperations.offenders, async ({ since }) => {
      const until = context.clock.now()
      const from = Math.min(Math.max(since ?? until - hourMs, until - weekMs), until - 60_000)
      const minutes = saidMinutes(await readRefusals(context, { from, until }))
      return sumOffenders(
        minutes.filter((minute) => minute.until > from && minute.from < until),
        { from, until },
      )
    }),
  ]
}

/** The limits of every door as they are now; those of the edge are missing while it cannot be asked. */
async function limitsNow({ context, own }: ExplainGround): Promise<Evidence['limits']> {
  const edge = await context.call(edgeOperations.limits, {}).catch(() => ({ limits: [] }))
  const app = own.flatMap(({ name, rules }) =>
    rules.map(({ text }) => ({ name: fullName(name), rule: text })),
  )
  return [...app, ...edge.limits]
}

/** The newest, should there be more than can be read at once. */
function readRefusals(context: Context, span: Span): Promise<readonly Fact[]> {
  return readAround(context, [limitsFacts.refused.kind], span)
}

interface Span {
  readonly from: number
  readonly until: number
}

/** Also what came a while later, for a fact is there after what it is about. */
function readAround(
  { timeline }: Context,
  kinds: readonly string[],
  { from, until }: Span,
): Promise<readonly Fact[]> {
  return timeline.read({ kinds, since: from, until: until + delayMs, order: 'newest', limit: mostFacts })
}

async function readHoldings({ timeline }: Context): Promise<readonly Fact[]> {
  const facts = await timeline.read({ kinds: [...holdingKinds], order: 'newest', limit: mostFacts })
  return facts.toReversed()
}
