import type { Limiter } from '../../../../kernel/limit/index.ts'
import {
  rateLimitFields,
  rungOf,
  type Countable,
  type FieldSyntax,
  type PolicyStanding,
  type Refusal,
} from '../../pipeline/index.ts'
import type { Bounds, PreparedLimit } from './prepared-limits.ts'

/** Whose limits are looked at, and when. */
export interface Looking {
  readonly limiter: Limiter
  readonly countable: Countable
  readonly syntax: FieldSyntax
  /** By the time that limits count by. */
  readonly nowMs: number
  /** By the clock on the wall, for what people read. */
  readonly wallMs: number
}

/** What a limit that refuses says: which, by what it counts, how much is used, when it ends. */
export function refusalBy(
  limit: PreparedLimit,
  { policies, retryAfterMs }: { readonly policies: string; readonly retryAfterMs: number },
  { limiter, countable, nowMs, wallMs }: Looking,
): Refusal {
  const { used, limit: most } = limiter.peek(limit.index, limit.keyOf(countable), nowMs)
  const { per } = limit.parsed
  const [only = ''] = per
  const countedBy =
    per.length < 2
      ? only && rungOf(only, countable)
      : per.map((dimension) => rungOf(dimension, countable)).join(' and ')
  return limit.refusalOf({ policies, countedBy, used, most, retryAfterMs, nowMs: wallMs })
}

/** The fields that say on an admitted answer how all limits stand; dry runs bind nobody and are left out. */
export function standingFields(bounds: Bounds, looking: Looking): readonly string[] {
  const standings = bounds.limits
    .filter(({ isDryRun }) => !isDryRun)
    .map((limit) => standingOf(limit, looking))
  return rateLimitFields(looking.syntax, bounds.policies, standings)
}

function standingOf(limit: PreparedLimit, { limiter, countable, nowMs }: Looking): PolicyStanding {
  const { remaining, resetsAtMs } = limiter.peek(limit.index, limit.keyOf(countable), nowMs)
  return {
    quoted: limit.quoted,
    quota: limit.parsed.count,
    remaining,
    resetSeconds: Math.max(0, Math.ceil((resetsAtMs - nowMs) / 1000)),
  }
}
