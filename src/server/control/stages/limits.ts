import { createLimiter, parseLimit, printLimit, type LimitRule } from '../../../kernel/limit/index.ts'
import { assert, type Clock, type OperationDeclaration, type Random } from '../../../kernel/std/index.ts'
import type { Refusal, Visitor } from './call.ts'

/** Limits that are the doors' own, beside one for every operation. */
export const doorLimits = {
  /** Every HTTP request of somebody who is not signed in, by address: also pages, bad tokens, unknown paths. */
  anonymous: { name: 'control.doors', rule: '600/min per address burst 300' },
  /** Every HTTP request of somebody who is signed in. */
  signedIn: { name: 'control.callers', rule: '6000/min per caller burst 1000' },
  /** Refusals that are written on the timeline, all together; the others are only counted. */
  refusals: { name: 'control.recorded-refusals', rule: '60/min' },
} as const

/** The name of one of the limits above. */
export type DoorLimit = keyof typeof doorLimits

/** The limits of the house's own doors. */
export interface CallLimits {
  /** Takes one from the operation's limit; null: admitted. */
  take(operation: string, visitor: Visitor): Refusal | null
  /** Takes one from a limit of the doors. */
  takeDoor(limit: DoorLimit, visitor: Visitor): Refusal | null
}

const capacity = 65_536
const bucketParts = ['caller', 'address']

interface NamedRule {
  readonly name: string
  readonly rule: LimitRule
}

function ruleOf(name: string, text: string): NamedRule {
  const rule = parseLimit(text)
  const strange = rule.per.find((part) => !bucketParts.includes(part))
  assert(strange === undefined, `${name} counts per ${strange}; an operation counts per caller or address`)
  assert(rule.kind !== 'concurrency', `${name} counts what runs at once; operations count calls`)
  assert(
    rule.kind !== 'calendar',
    `${name} resets by the calendar; the doors of the house count by monotonic time`,
  )
  assert(rule.queue === null, `${name} queues; the doors of the house refuse at once`)
  return { name, rule }
}

/** Whoever is not signed in is counted by address, so that nobody shares a bucket with all strangers. */
function bucketOf(rule: LimitRule, visitor: Visitor): string {
  const caller = visitor.caller.permission === 'public' ? visitor.address : visitor.caller.actor
  return rule.per.map((part) => (part === 'address' ? `@${visitor.address}` : caller)).join(' ')
}

/** Reads every declared limit once and creates their limiter; its memory is decided here. */
export function createCallLimits(
  operations: readonly Pick<OperationDeclaration, 'name' | 'limit'>[],
  ports: { readonly clock: Clock; readonly random: Random },
): CallLimits {
  const own = Object.values(doorLimits).map(({ name, rule }) => ruleOf(name, rule))
  const limits = [...own, ...operations.map(({ name, limit }) => ruleOf(`operations.${name}`, limit))]
  const seed = new DataView(Uint8Array.from(ports.random.bytes(8)).buffer)
  const limiter = createLimiter({ limits, capacity, seed: [seed.getUint32(0), seed.getUint32(4)] })
  const indexes = new Map(limits.map(({ name }, index) => [name, index]))
  const take = (name: string, visitor: Visitor): Refusal | null => {
    const index = indexes.get(name)
    const found = index === undefined ? undefined : limits[index]
    assert(index !== undefined && found !== undefined, `${name} has no limit`)
    const waitMs = limiter.takeText(index, bucketOf(found.rule, visitor), ports.clock.monotonicMs())
    return waitMs === 0 ? null : { limit: name, rule: printLimit(found.rule), retryAfterMs: waitMs }
  }
  return {
    take: (operation, visitor) => take(`operations.${operation}`, visitor),
    takeDoor: (limit, visitor) => take(doorLimits[limit].name, visitor),
  }
}
