import type { LimitRule } from '../../../../kernel/limit/index.ts'
import { rateLimitFields, type FieldSyntax } from './rate-limit-fields.ts'
import type { Refusal } from './refusal.ts'

const problemTypes = 'https://iana.org/assignments/http-problem-types#'
const longestWaitSeconds = 366 * 86_400

/** A limit that refused, and how it stands. */
export interface Violation {
  readonly limit: string
  /** As written. */
  readonly rule: string
  readonly parsed: LimitRule
  /** Its name in RateLimit fields. */
  readonly policy: string
  /** RateLimit-Policy of all limits of the route. */
  readonly policies: string
  readonly syntax: FieldSyntax
  /** What it counts by for this request, never whose key: `user`, `ip and route`; empty: everybody together. */
  readonly countedBy: string
  readonly used: number
  readonly most: number
  readonly retryAfterMs: number
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

/** Whole seconds to wait, at least one. */
function secondsOf(waitMs: number): number {
  return Math.min(longestWaitSeconds, Math.max(1, Math.ceil(waitMs / 1000)))
}

/** Refusal by a limit: which one, what it counts, and when it will admit again. */
export function limitRefusal(violation: Violation): Refusal {
  const { limit, rule, parsed, policy, policies, syntax, countedBy, used, most, nowMs } = violation
  const seconds = secondsOf(violation.retryAfterMs)
  const whose = countedBy === '' ? 'everybody together' : `each ${countedBy}`
  const standing = { policy, quota: parsed.count, remaining: 0, resetSeconds: seconds }
  return {
    status: 429,
    type: `${problemTypes}quota-exceeded`,
    title: 'Too many requests',
    detail: `The limit "${rule}" of ${limit} is used up; it holds for ${whose}. Try again in ${saySeconds(seconds)}.`,
    retryAfterSeconds: seconds,
    fields: rateLimitFields(syntax, policies, [standing]),
    members: {
      'violated-policies': [policy],
      limit,
      rule,
      countedBy: countedBy === '' ? 'everybody' : countedBy,
      used: Math.min(used, most),
      most,
      admitsAgainAt: new Date(nowMs + 1000 * seconds).toISOString(),
    },
  }
}

/** Refusal of somebody who is banned. `because` stays within the house. */
export function banRefusal(untilMs: number, nowMs: number): Refusal {
  const seconds = secondsOf(untilMs - nowMs)
  return {
    status: 429,
    type: `${problemTypes}abnormal-usage-detected`,
    title: 'Refused for a while',
    detail: `Requests from here were unusual and are refused until ${new Date(untilMs).toISOString()}. Whoever runs this service can lift that.`,
    retryAfterSeconds: seconds,
    members: { 'violated-policies': [], admitsAgainAt: new Date(untilMs).toISOString() },
  }
}

function saySeconds(seconds: number): string {
  if (seconds < 120) return seconds === 1 ? 'a second' : `${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}
