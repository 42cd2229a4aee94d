import type { LimitVerdict } from '../../../contracts/limits.ts'
import { sayDuration } from '../../../kernel/std/index.ts'
import type { Verdict } from '../../../kernel/limit/index.ts'
import type { Charge, Standing } from './meter.ts'

/** A take as a verdict speaks of it. */
export interface Asked {
  /** Without `app.`. */
  readonly limit: string
  readonly cost: number
}

const whom = ({ subject }: Charge): string => (subject === '' ? 'everybody' : subject)

/** Why a rule refused, in a sentence. */
export function sayRefusal(charge: Charge, cost: number, retryAfterMs: number | null): string {
  const { text, rule } = charge
  if (retryAfterMs === null) return `A cost of ${cost} is more than ${text} ever gives.`
  const when = `try again in ${sayDuration(retryAfterMs)}`
  if (rule.kind === 'concurrency') return `${whom(charge)} has as many at once as ${text} allows; ${when}.`
  return `${text} is used up for ${whom(charge)}; ${when}.`
}

/** What the limiter decided, as an answer. */
export function verdictOf(
  asked: Asked,
  decided: Verdict & { readonly charges: readonly Charge[] },
  standing: (charge: Charge) => Standing,
): LimitVerdict {
  const { admitted, refusedBy, tightest, charges, remaining } = decided
  const decisive = charges.find(({ index }) => index === (admitted ? tightest : refusedBy))
  const retryAfterMs = Number.isFinite(decided.retryAfterMs) ? decided.retryAfterMs : null
  return {
    admitted,
    limit: asked.limit,
    rule: decisive?.text ?? null,
    retryAfterMs,
    remaining: Number.isFinite(remaining) ? remaining : null,
    resetsAt: decisive === undefined ? null : standing(decisive).resetsAt,
    because: admitted || decisive === undefined ? null : sayRefusal(decisive, asked.cost, retryAfterMs),
  }
}

/** Milliseconds until so many more units are there; null: never. Exact for rates, an upper bound for the others. */
export function waitFor(charge: Charge, missing: number, at: { now: number; resetsAt: number | null }): number {
  const { kind, count, periodMs } = charge.rule
  if (kind === 'rate') return Math.ceil((missing * periodMs) / count)
  return Math.max(1, (at.resetsAt ?? at.now + 1000) - at.now)
}

/** What a take would come to, from how its accounts stand. Dry runs do not decide. */
export function foreseen(
  asked: Asked,
  accounts: readonly { readonly charge: Charge; readonly standing: Standing }[],
  now: number,
): LimitVerdict {
  const judging = accounts.filter(({ charge }) => !charge.rule.dryRun)
  const tightest = judging.toSorted((a, b) => a.standing.left - b.standing.left)[0]
  const base = { limit: asked.limit, rule: null, remaining: null, resetsAt: null }
  if (tightest === undefined) return { ...base, admitted: true, retryAfterMs: 0, because: null }
  const { charge, standing } = tightest
  const { resetsAt } = standing
  const remaining = Math.max(0, standing.left)
  const found = { ...base, rule: charge.text, remaining, resetsAt }
  if (standing.left >= asked.cost) return { ...found, admitted: true, retryAfterMs: 0, because: null }
  const never = asked.cost > charge.rule.burst
  const retryAfterMs = never ? null : waitFor(charge, asked.cost - standing.left, { now, resetsAt })
  return { ...found, admitted: false, retryAfterMs, because: sayRefusal(charge, asked.cost, retryAfterMs) }
}

/** A refusal because earlier commits went beyond the limit. */
export function refusedByDebt(
  asked: Asked,
  { charge, owed }: { readonly charge: Charge; readonly owed: number },
  at: { readonly now: number; readonly resetsAt: number | null },
): LimitVerdict {
  const retryAfterMs = waitFor(charge, owed + asked.cost, at)
  const because = `${whom(charge)} still owes ${owed} under ${charge.text}; try again in ${sayDuration(retryAfterMs)}.`
  const { text: rule } = charge
  const { limit } = asked
  return { admitted: false, limit, rule, retryAfterMs, remaining: 0, resetsAt: at.resetsAt, because }
}
