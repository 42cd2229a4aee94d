import type { Log } from '../../../kernel/capability/index.ts'
import {
  createLimiter,
  parseLimit,
  printLimit,
  restoreTable,
  saveTable,
  type Limiter,
  type LimitRule,
  type Restored,
} from '../../../kernel/limit/index.ts'
import {
  assert,
  steadyTime,
  type Clock,
  type OperationDeclaration,
  type Random,
} from '../../../kernel/std/index.ts'
import type { Refusal, Visitor } from './call.ts'

/** Limits that are the doors' own, beside one for every operation. */
export const doorLimits = {
  /** Every HTTP request of somebody who is not signed in, by address: also pages, bad tokens, unknown paths. */
  anonymous: { name: 'control.doors', rule: '600/min per address burst 300' },
  /** Every HTTP request of somebody who is signed in. */
  signedIn: { name: 'control.callers', rule: '6000/min per caller burst 1000' },
  /** Every HTTP request of an application, whose token has the role `use`: it takes from limits, which is traffic. */
  applications: { name: 'control.applications', rule: '600000/min per caller burst 20000' },
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

/** Limits whose accounts can be kept. */
export interface KeepableLimits extends CallLimits {
  /** Who owes what, for the next control; null when nobody took anything since it was last asked for. */
  snapshot(): Uint8Array | null
}

/** What limits are made with. */
export interface CallLimitsPorts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What an earlier control's `snapshot` gave. One that cannot be used is logged, and all accounts are empty. */
  readonly saved?: Uint8Array | null
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
  ports: CallLimitsPorts,
): KeepableLimits {
  const own = Object.values(doorLimits).map(({ name, rule }) => ruleOf(name, rule))
  const limits = [...own, ...operations.map(({ name, limit }) => ruleOf(`operations.${name}`, limit))]
  const { limiter, seed, timeMs } = openLimiter(limits, ports)
  const indexes = new Map(limits.map(({ name }, index) => [name, index]))
  let taken = false
  const take = (name: string, visitor: Visitor): Refusal | null => {
    const index = indexes.get(name)
    const found = index === undefined ? undefined : limits[index]
    assert(index !== undefined && found !== undefined, `${name} has no limit`)
    taken = true
    const waitMs = limiter.takeText(index, bucketOf(found.rule, visitor), timeMs())
    return waitMs === 0 ? null : { limit: name, rule: printLimit(found.rule), retryAfterMs: waitMs }
  }
  return {
    take: (operation, visitor) => take(`operations.${operation}`, visitor),
    takeDoor: (limit, visitor) => take(doorLimits[limit].name, visitor),
    snapshot: () => {
      if (!taken) return null
      taken = false
      return saveTable(limiter.buffer, { seed, nowMs: timeMs() })
    },
  }
}

interface OpenLimiter {
  readonly limiter: Limiter
  readonly seed: readonly [number, number]
  /** Never earlier than in the snapshot: with a clock that was set back meanwhile debts wait, they do not vanish. */
  readonly timeMs: () => number
}

function openLimiter(limits: readonly NamedRule[], ports: CallLimitsPorts): OpenLimiter {
  const { seed, savedAtMs, ...buffer } = restored(limits, ports) ?? {
    seed: newSeed(ports.random),
    savedAtMs: 0,
  }
  const limiter = createLimiter({ limits, capacity, seed, ...buffer })
  return { limiter, seed, timeMs: steadyTime(ports.clock, savedAtMs) }
}

function restored(limits: readonly NamedRule[], { saved, log }: CallLimitsPorts): Restored | null {
  if (saved === undefined || saved === null) return null
  const found = restoreTable(saved, { limits, capacity })
  if (!('unusable' in found)) return found
  log.warn({ why: found.unusable }, 'the limits of calls begin anew: those that were kept cannot be used')
  return null
}

function newSeed(random: Random): readonly [number, number] {
  const seed = new DataView(Uint8Array.from(random.bytes(8)).buffer)
  return [seed.getUint32(0), seed.getUint32(4)]
}
