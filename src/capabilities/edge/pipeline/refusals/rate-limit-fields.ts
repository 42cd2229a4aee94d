import type { LimitRule } from '../../../../kernel/limit/index.ts'

/** In which syntax the edge says how a limit stands. */
export type FieldSyntax = 'draft-11' | 'legacy' | 'off'

/** How one limit stands for whoever asks. */
export interface PolicyStanding {
  /** Its name in these fields, as of `quotedPolicy`. */
  readonly quoted: string
  readonly quota: number
  readonly remaining: number
  /** Whole seconds until nothing of it is used, or until the same request would be admitted. */
  readonly resetSeconds: number
}

/** A policy's name as a String of RFC 9651: printable ASCII; what is not becomes a question mark. */
export function quotedPolicy(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** Names for RateLimit-Policy, in which each is different: a second rule of one name is `name#2`. */
export function policyNames(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}#${count}`
  })
}

/** The value of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11, 3): a List of Items with parameters. */
export function policiesField(
  limits: readonly { readonly policy: string; readonly rule: LimitRule }[],
): string {
  return limits.map(({ policy, rule }) => `${quotedPolicy(policy)}${policyParameters(rule)}`).join(', ')
}

function policyParameters({ kind, count, periodMs }: LimitRule): string {
  if (kind === 'concurrency') return `;q=${count};qu="concurrent-requests"`
  return `;q=${count};w=${Math.max(1, Math.ceil(periodMs / 1000))}`
}

/** The fields that say how limits stand: name, value, name, value ... `policies` as of `policiesField`. */
export function rateLimitFields(
  syntax: FieldSyntax,
  policies: string,
  standings: readonly PolicyStanding[],
): string[] {
  const [first] = standings
  if (syntax === 'off' || first === undefined) return []
  if (syntax === 'legacy') return legacyFields(standings.reduce(tighter, first))
  const items = standings.map(
    ({ quoted, remaining, resetSeconds }) => `${quoted};r=${remaining};t=${resetSeconds}`,
  )
  return ['ratelimit-policy', policies, 'ratelimit', items.join(', ')]
}

function tighter(one: PolicyStanding, other: PolicyStanding): PolicyStanding {
  return other.remaining < one.remaining ? other : one
}

function legacyFields({ quota, remaining, resetSeconds }: PolicyStanding): string[] {
  return [
    'x-ratelimit-limit',
    String(quota),
    'x-ratelimit-remaining',
    String(remaining),
    'x-ratelimit-reset',
    String(resetSeconds),
  ]
}
