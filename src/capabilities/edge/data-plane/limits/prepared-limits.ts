import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'
import { parseLimit, type KeyHash, type Limiter, type LimitRule } from '../../../../kernel/limit/index.ts'
import type { Clock } from '../../../../kernel/std/index.ts'
import {
  createSubjectBook,
  keyReader,
  limitRefusals,
  policiesField,
  policyNames,
  quotedPolicy,
  subjectReader,
  type Countable,
  type Refusal,
  type SubjectBook,
  type Violation,
} from '../../pipeline/index.ts'
import { nearUnits, type Watch, type Watched } from '../offenders/index.ts'
import { LimitQueue } from './queue.ts'

/** A limit ready to be taken from. */
export interface PreparedLimit extends Watched {
  readonly name: string
  /** As written. */
  readonly rule: string
  readonly parsed: LimitRule
  /** How RateLimit fields call it; several rules of one route have the same name, and each its own here. */
  readonly policy: string
  /** The same as of `quotedPolicy`. */
  readonly quoted: string
  /** RateLimit-Policy of this limit alone. */
  readonly policies: string
  readonly refusalOf: (violation: Violation) => Refusal
  readonly isLease: boolean
  readonly isDryRun: boolean
  /** Where those wait whom it does not admit at once; null: nobody waits. */
  readonly queue: LimitQueue | null
  readonly keyOf: (from: Countable) => KeyHash
  /** The key as it is the same on all edges. */
  readonly textOf: (from: Countable) => string
}

/** What bounds a request and where it is counted. */
export interface Bounds {
  readonly name: string
  /** Slot of the counters. */
  readonly slot: number
  readonly limits: readonly PreparedLimit[]
  /** Units that a request takes of each, but of what counts at once. */
  readonly cost: number
  /** The one limit, when there is only one, it is no dry run and gives nothing back: it has a shorter way. */
  readonly only: PreparedLimit | null
  /** Whether somebody may have to wait. */
  readonly mayQueue: boolean
  /** Whom the limits pass over. */
  readonly allow: SubjectBook<true>
  /** RateLimit-Policy of all limits together. */
  readonly policies: string
  /** Whether admitted answers say how the limits stand. */
  readonly saysFields: boolean
  /** Writes down whom the limits refuse. */
  readonly watch: Watch
}

/** Prepares the limits of a policy on its limiter. */
export function prepareLimits(
  { limits, rateLimitFields: syntax }: EdgePolicy,
  limiter: Limiter,
  clock: Clock,
): readonly PreparedLimit[] {
  const rules = limits.map(({ rule }) => parseLimit(rule))
  const names = policyNames(limits.map(({ name }) => name))
  return limits.map(({ name, rule }, index) => {
    const parsed = rules[index] ?? parseLimit(rule)
    const read = keyReader(parsed)
    const policy = names[index] ?? name
    return {
      index,
      name,
      rule,
      parsed,
      policy,
      quoted: quotedPolicy(policy),
      policies: policiesField([{ policy, rule: parsed }]),
      refusalOf: limitRefusals({ name, rule, parsed, policy, syntax }),
      isLease: parsed.kind === 'concurrency',
      isDryRun: parsed.dryRun,
      queue: parsed.queue === null ? null : new LimitQueue(parsed.queue, clock),
      keyOf: hashOnce(read, limiter),
      textOf: read,
      subjectOf: subjectReader(parsed),
      nearFrom: nearUnits(parsed),
    }
  })
}

/** A request's key is wanted several times, and a client's next request has in most cases the same one. */
function hashOnce(read: (from: Countable) => string, limiter: Limiter): (from: Countable) => KeyHash {
  let text = ''
  let hash = limiter.hash(text)
  return (from) => {
    const next = read(from)
    if (next === text) return hash
    text = next
    hash = limiter.hash(next)
    return hash
  }
}

/** What bounds are made from. */
export interface BoundsParts {
  readonly name: string
  readonly slot: number
  readonly limits: readonly PreparedLimit[]
  readonly cost: number
  readonly allow: readonly string[]
  readonly saysFields: boolean
  readonly watch: Watch
}

/** Puts together what bounds a request. */
export function createBounds(parts: BoundsParts): Bounds {
  const { name, slot, limits, cost, allow, saysFields, watch } = parts
  const [first] = limits
  const isShort = limits.length === 1 && first !== undefined && !first.isLease && !first.isDryRun
  return {
    name,
    slot,
    limits,
    cost,
    only: isShort ? first : null,
    mayQueue: limits.some(({ queue }) => queue !== null),
    allow: createSubjectBook(allow.map((subject) => [subject, true as const])),
    policies: policiesOf(limits),
    saysFields,
    watch,
  }
}

/** RateLimit-Policy of some limits; dry runs bind nobody and are left out. */
function policiesOf(limits: readonly PreparedLimit[]): string {
  return policiesField(
    limits.filter(({ isDryRun }) => !isDryRun).map(({ policy, parsed }) => ({ policy, rule: parsed })),
  )
}
