import type { LimitRule } from '../../../../kernel/limit/index.ts'
import { quotedPolicy, rateLimitFields, type FieldSyntax } from './rate-limit-fields.ts'
import type { Refusal } from './refusal.ts'

const problemTypes = 'https://iana.org/assignments/http-problem-types#'
const longestWaitSeconds = 366 * 86_400

/** A limit, as refusals by it name it. */
export interface RefusingLimit {
  readonly name: string
  /** As written. */
  readonly rule: string
  readonly parsed: LimitRule
  /** Its name in RateLimit fields. */
  readonly policy: string
  readonly syntax: FieldSyntax
}

/** How a limit that refused stands. */
export interface Violation {
  /** RateLimit-Policy of all limits of the route. */
  readonly policies: string
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

/**
 * Makes the refusals by a limit: which one, what it counts, and when it will admit again. When that is what it was the
 * last time, as under an attack, the same refusal comes again, and so its text need not be written anew.
 */
export function limitRefusals(limit: RefusingLimit): (violation: Violation) => Refusal {
  const quoted = quotedPolicy(limit.policy)
  let last: { readonly said: Said; readonly refusal: Refusal } | null = null
  return (violation) => {
    const said = say(violation)
    if (last === null || !isSame(last.said, said)) last = { said, refusal: limitRefusal(limit, quoted, said) }
    return last.refusal
  }
}

/** What of a violation is said. */
interface Said {
  readonly policies: string
  readonly countedBy: string
  readonly used: number
  readonly most: number
  readonly seconds: number
  /** On the second, when it has surely come. */
  readonly admitsAgainAt: number
}

function say({ policies, countedBy, used, most, retryAfterMs, nowMs }: Violation): Said {
  const seconds = secondsOf(retryAfterMs)
  const admitsAgainAt = 1000 * Math.ceil((nowMs + Math.min(retryAfterMs, 1000 * seconds)) / 1000)
  return { policies, countedBy, used: Math.min(used, most), most, seconds, admitsAgainAt }
}

function isSame(one: Said, other: Said): boolean {
  return (
    one.admitsAgainAt === other.admitsAgainAt &&
    one.seconds === other.seconds &&
    one.used === other.used &&
    one.most === other.most &&
    one.countedBy === other.countedBy &&
    one.policies === other.policies
  )
}

function limitRefusal(limit: RefusingLimit, quoted: string, said: Said): Refusal {
  const { name, rule, parsed, policy, syntax } = limit
  const { policies, countedBy, used, most, seconds, admitsAgainAt } = said
  const whose = countedBy === '' ? 'everybody together' : `each ${countedBy}`
  const standing = { quoted, quota: parsed.count, remaining: 0, resetSeconds: seconds }
  return {
    status: 429,
    type: `${problemTypes}quota-exceeded`,
    title: 'Too many requests',
    detail: `The limit "${rule}" of ${name} is used up; it holds for ${whose}. Try again in ${saySeconds(seconds)}.`,
    retryAfterSeconds: seconds,
    fields: rateLimitFields(syntax, policies, [standing]),
    members: {
      'violated-policies': [policy],
      limit: name,
      rule,
      countedBy: countedBy === '' ? 'everybody' : countedBy,
      used,
      most,
      admitsAgainAt: new Date(admitsAgainAt).toISOString(),
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
