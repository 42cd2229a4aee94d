import type { Verdict } from '../port.ts'

/** What control says to a lease. */
export interface Grant {
  readonly granted: number
  /** Until when it may be spent, in ms since 1970. */
  readonly untilMs: number
}

type Fields = Readonly<Record<string, unknown>>

/** So many verdicts of `limits.take`, heard `at` (in ms since 1970); null: that is no such answer. */
export function readVerdicts(body: unknown, count: number, at: number): readonly Verdict[] | null {
  const list = fieldsOf(body)?.['verdicts']
  if (!Array.isArray(list) || list.length !== count) return null
  const verdicts = list.map((each) => readVerdict(each, at)).filter((verdict) => verdict !== null)
  return verdicts.length === count ? verdicts : null
}

/** A verdict as `contracts/limits.ts` writes it, where null is what JSON has no number for. */
export function readVerdict(value: unknown, at: number): Verdict | null {
  const fields = fieldsOf(value)
  if (fields === null || typeof fields['admitted'] !== 'boolean' || typeof fields['limit'] !== 'string')
    return null
  const { admitted, limit, rule, because } = fields
  return {
    admitted,
    at,
    limit,
    rule: typeof rule === 'string' ? rule : '',
    retryAfterMs: numberOr(fields['retryAfterMs'], admitted ? 0 : Number.POSITIVE_INFINITY),
    remaining: numberOr(fields['remaining'], Number.POSITIVE_INFINITY),
    resetsAt: numberOr(fields['resetsAt'], 0),
    because: typeof because === 'string' ? because : '',
  }
}

/** The answer of `limits.reserve`: the verdict, and when the reservation ends. */
export function readReservation(
  body: unknown,
  at: number,
): { readonly verdict: Verdict; readonly endsAt: number } | null {
  const verdict = readVerdict(body, at)
  return verdict === null ? null : { verdict, endsAt: numberOr(fieldsOf(body)?.['endsAt'], 0) }
}

/** The answer of `limits.lease`. */
export function readGrant(body: unknown): Grant | null {
  const fields = fieldsOf(body)
  const [granted, untilMs] = [fields?.['granted'], fields?.['until']]
  if (typeof granted !== 'number' || !Number.isInteger(granted) || granted < 0) return null
  return typeof untilMs === 'number' ? { granted, untilMs } : null
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
