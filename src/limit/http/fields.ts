import type { RuleFacts, Verdict } from '../port.ts'

/** A limit with its rules. */
export interface NamedRules {
  readonly name: string
  readonly rules: readonly RuleFacts[]
}

/** Sets a field of the answer; its name in lower case. */
export type SetField<Reply> = (reply: Reply, name: string, value: string) => void

/** Writes the fields of a verdict. */
export type WriteFields<Reply> = (reply: Reply, verdict: Verdict) => void

const longestWaitSeconds = 366 * 86_400
const mostUnits = 999_999_999_999_999

/**
 * Whole seconds to wait: 1 to a year. Retry-After (RFC 9110, section 10.2.3) and `t` say the same, for the one must
 * not be earlier than the other.
 */
export function waitSeconds(retryAfterMs: number): number {
  return Math.min(longestWaitSeconds, Math.max(1, Math.ceil(retryAfterMs / 1000)))
}

/** RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-11; the policy is the same for all requests. */
export function draftFields<Reply>(limits: readonly NamedRules[], set: SetField<Reply>): WriteFields<Reply> {
  const policies = limits.flatMap(({ name, rules }) =>
    rules.map((rule, index) => {
      const label = quoted(index === 0 ? name : `${name}-${index + 1}`)
      return { limit: name, rule, label, begin: `${label};r=` }
    }),
  )
  const policy = policies.map(({ label, rule }) => `${label}${quota(rule)}`).join(', ')
  const first = policies[0]?.begin ?? '"";r='
  const beginOf = ({ limit, rule }: Verdict): string =>
    policies.find((each) => each.limit === limit && each.rule.text === rule)?.begin ?? first
  return (reply, verdict) => {
    const begin = policies.length === 1 ? first : beginOf(verdict)
    set(reply, 'ratelimit-policy', policy)
    set(reply, 'ratelimit', `${begin}${unitsOf(verdict)};t=${resetSeconds(verdict)}`)
  }
}

/** The fields that most programs know: X-RateLimit-Limit, -Remaining and -Reset (seconds). */
export function legacyFields<Reply>(limits: readonly NamedRules[], set: SetField<Reply>): WriteFields<Reply> {
  const rules = limits.flatMap(({ name, rules }) => rules.map((rule) => ({ name, rule })))
  return (reply, verdict) => {
    const known = rules.find(({ name, rule }) => name === verdict.limit && rule.text === verdict.rule)
    set(reply, 'x-ratelimit-limit', String(known?.rule.count ?? rules[0]?.rule.count ?? 0))
    set(reply, 'x-ratelimit-remaining', String(unitsOf(verdict)))
    set(reply, 'x-ratelimit-reset', String(resetSeconds(verdict)))
  }
}

/** An Integer of RFC 9651. */
function unitsOf({ remaining }: Verdict): number {
  return Math.max(0, Math.min(mostUnits, Math.floor(remaining)))
}

function resetSeconds({ admitted, at, retryAfterMs, resetsAt }: Verdict): number {
  return admitted ? Math.max(0, Math.ceil((resetsAt - at) / 1000)) : waitSeconds(retryAfterMs)
}

function quota({ count, windowMs }: RuleFacts): string {
  if (windowMs === 0) return `;q=${count};qu="concurrent-requests"`
  return `;q=${count};w=${Math.max(1, Math.round(windowMs / 1000))}`
}

/** A String of RFC 9651: visible ASCII. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** The body of a refusal: problem+json (RFC 9457) of the type `quota-exceeded`. */
export function problemBody({ limit, rule, because, retryAfterMs }: Verdict): string {
  return JSON.stringify({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Too many requests',
    status: 429,
    detail: because,
    'violated-policies': [limit],
    limit,
    rule,
    retryAfterSeconds: waitSeconds(retryAfterMs),
  })
}
