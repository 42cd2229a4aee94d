import { explainOperations } from '../../../contracts/limits/explain.ts'
import { limitsFacts } from '../../../contracts/limits.ts'
import { bindValue, type Context, type OperationBinding } from '../../../kernel/capability/index.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'
import { explain } from './explain.ts'
import { holdingKinds } from './holdings.ts'
import { sumOffenders } from './offenders.ts'
import { saidMinutes } from './spells.ts'

/** What the operations stand on. */
export interface ExplainGround {
  readonly context: Context
  /** The limits of every door as they are now. */
  readonly limits: () => Promise<readonly { readonly name: string; readonly rule: string }[]>
  /** IANA name of the zone in which times are said. */
  readonly zone: string
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
      const asked = at ?? nowMs
      const span = { from: asked - hourMs, until: Math.min(asked + hourMs, Math.max(nowMs, asked)) }
      const [refusals, holdings, reach, limits] = await Promise.all([
        readRefusals(context, span),
        readHoldings(context),
        context.timeline.read({ order: 'oldest', limit: 1 }),
        ground.limits(),
      ])
      const reachesBackTo = reach[0]?.at ?? null
      const evidence = { refusals, holdings, ...span, reachesBackTo, limits, nowMs, zone: ground.zone }
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

/** The newest, should there be more than can be read at once. */
function readRefusals(
  { timeline }: Context,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<readonly Fact[]> {
  const kinds = [limitsFacts.refused.kind]
  return timeline.read({ kinds, since: from, until: until + delayMs, order: 'newest', limit: mostFacts })
}

async function readHoldings({ timeline }: Context): Promise<readonly Fact[]> {
  const facts = await timeline.read({ kinds: [...holdingKinds], order: 'newest', limit: mostFacts })
  return facts.toReversed()
}
