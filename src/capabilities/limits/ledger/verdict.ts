import type { LimitVerdict } from '../../../contracts/limits.ts'
import { sayDuration } from '../../../kernel/std/index.ts'
import type { Standing, Verdict } from '../../../kernel/limit/index.ts'
import type { Charge } from './meter.ts'

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

/** When all is there again; null when nothing is in use, or as long as somebody goes on. */
function resetsAt(charge: Charge | undefined, untilMs: number, now: number): number | null {
  return untilMs > now && charge?.rule.kind !== 'concurrency' ? untilMs : null
}

/** What the limiter decided, as an answer. */
export function verdictOf(
  asked: Asked,
  decided: Verdict & { readonly charges: readonly Charge[] },
  now: number,
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
    resetsAt: resetsAt(decisive, decided.resetsAtMs, now),
    because: admitted || decisive === undefined ? null : sayRefusal(decisive, asked.cost, retryAfterMs),
  }
}

/** Milliseconds until so many more units are there: exact for one, an estimate from above for more. */
function waitFor({ charge: { rule }, standing }: Account, missing: number, now: number): number {
  if (missing <= 1 && standing.retryAfterMs > 0) return standing.retryAfterMs
  if (rule.kind !== 'rate') return Math.max(1, standing.resetsAtMs - now)
  return Math.ceil(standing.retryAfterMs + ((missing - 1) * rule.periodMs) / rule.count)
}

/** One account of a take. */
export interface Account {
  readonly charge: Charge
  readonly standing: Standing
  /** Units that were committed beyond the limit. */
  readonly owed: number
}

/** What a take would come to, from how its accounts stand. Dry runs do not decide. */
export function foreseen(asked: Asked, accounts: readonly Account[], now: number): LimitVerdict {
  const left = ({ standing, owed }: Account): number => standing.remaining - owed
  const judging = accounts.filter(({ charge }) => !charge.rule.dryRun)
  const tightest = judging.toSorted((a, b) => left(a) - left(b))[0]
  const admitted = { admitted: true, limit: asked.limit, retryAfterMs: 0, because: null }
  if (tightest === undefined) return { ...admitted, rule: null, remaining: null, resetsAt: null }
  const { charge, standing } = tightest
  const found = { rule: charge.text, remaining: Math.max(0, left(tightest)) }
  const end = { resetsAt: resetsAt(charge, standing.resetsAtMs, now) }
  if (left(tightest) >= asked.cost) return { ...admitted, ...found, ...end }
  const never = asked.cost > charge.rule.burst
  const retryAfterMs = never ? null : waitFor(tightest, asked.cost - left(tightest), now)
  const because = sayRefusal(charge, asked.cost, retryAfterMs)
  return { ...admitted, ...found, ...end, admitted: false, retryAfterMs, because }
}

/** A refusal because earlier commits went beyond the limit. */
export function refusedByDebt(asked: Asked, debtor: Account, now: number): LimitVerdict {
  const { charge, standing, owed } = debtor
  const { text: rule } = charge
  const retryAfterMs = waitFor(debtor, owed + asked.cost, now)
  const because = `${whom(charge)} still owes ${owed} under ${rule}; try again in ${sayDuration(retryAfterMs)}.`
  const end = { remaining: 0, resetsAt: resetsAt(charge, standing.resetsAtMs, now) }
  return { admitted: false, limit: asked.limit, rule, retryAfterMs, because, ...end }
}
