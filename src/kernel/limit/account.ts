import { Calendar } from './calendar/calendar.ts'
import { tallyForm } from './calendar/tally.ts'
import { ringForm } from './entry.ts'
import type { KeyedHash } from './hash.ts'
import type { EntryForm, Identity, Registry } from './registry.ts'
import { printLimit, type LimitKind, type LimitRule } from './notation/rule.ts'
import type { Owner } from './session.ts'
import type { Table } from './table.ts'

/** A limit with the name under which it is reported. */
export interface NamedLimit {
  readonly name: string
  readonly rule: LimitRule
  /** For concurrency: how long a lease lives at least unless released or renewed; 1 s to 1 day, default 60 s. */
  readonly leaseMs?: number
}

/** A limit as the limiter works with it. */
export interface Account extends Owner {
  readonly rule: LimitRule
  readonly plan: Plan
  readonly leaseMs: number
  readonly form: EntryForm
  /** For windows: who the entries are that remember the next place in the ring. */
  readonly ring: Owner
  readonly ringForm: EntryForm
  /** For calendar limits: when they reset. */
  readonly calendar: Calendar | undefined
}

const DEFAULT_LEASE_MS = 60_000

/** How many records of the registry these limits need. */
function recordsFor(limits: readonly NamedLimit[]): number {
  return limits.reduce((sum, { rule }) => sum + (rule.kind === 'window' ? 2 : 1), 0)
}

/** How many limits a new buffer remembers, those of former policies included. */
export function limitCapacityOf(options: {
  readonly limits: readonly NamedLimit[]
  readonly limitCapacity?: number
}): number {
  return options.limitCapacity ?? Math.max(64, 4 * recordsFor(options.limits))
}

/**
 * Looks the limits up in the buffer's registry. A limit is the same one as before if name and rule are equal
 * (dry run or not, with a queue or not), so its accounts survive a new policy and a dry run that goes live.
 */
export function openAccounts(
  limits: readonly NamedLimit[],
  room: {
    readonly registry: Registry
    readonly table: Table
    readonly hash: KeyedHash
    readonly nowMs: number
  },
): readonly Account[] {
  const identities = limits.map((limit) => identify(limit, room.hash))
  const wanted = identities.flatMap(({ own, ring }) => (ring === undefined ? [own] : [own, ring]))
  const ids = room.registry.register(wanted, (forgotten) => room.table.forget(forgotten, room.nowMs))
  const numberOf = new Map(wanted.map((identity, index) => [identity, ids[index] ?? 0]))
  const owner = (identity: Identity): Owner => ({
    id: numberOf.get(identity) ?? 0,
    saltLow: identity.low,
    saltHigh: identity.high,
  })
  return limits.map(({ rule, leaseMs = DEFAULT_LEASE_MS }, index) => {
    const { own, ring, plan } = identities[index] ?? identify({ name: '', rule }, room.hash)
    return {
      ...owner(own),
      rule,
      plan,
      leaseMs,
      form: own.form,
      ring: owner(ring ?? own),
      ringForm: (ring ?? own).form,
      calendar: rule.resets === null ? undefined : new Calendar(rule.resets),
    }
  })
}

interface Identified {
  readonly plan: Plan
  readonly own: Identity
  readonly ring: Identity | undefined
}

function identify({ name, rule, leaseMs = DEFAULT_LEASE_MS }: NamedLimit, hash: KeyedHash): Identified {
  const text = `${name}\n${printLimit({ ...rule, dryRun: false, queue: null })}`
  const plan = planFor(rule)
  if (rule.kind === 'concurrency') {
    const own = identity(`${text}\n${leaseMs}`, { ...plan, kind: 'leases', ticksPerGrain: leaseMs }, hash)
    return { plan, own, ring: undefined }
  }
  if (rule.kind === 'calendar')
    return { plan, own: identity(text, tallyForm(rule.periodMs, rule.count), hash), ring: undefined }
  if (rule.kind === 'rate')
    return { plan, own: identity(text, { ...plan, kind: 'rate' }, hash), ring: undefined }
  const own = identity(text, { ...plan, kind: 'slot' }, hash)
  return { plan, own, ring: identity(`${text}\nring`, ringForm(rule.periodMs), hash) }
}

/** How it is counted is part of what it is: a version that counts otherwise does not misread a restored table. */
function identity(text: string, form: EntryForm, hash: KeyedHash): Identity {
  hash.text(`${text}\n${form.kind} ${form.horizonTicks} ${form.grainsPerMs} ${form.ticksPerGrain}`)
  return { low: hash.low === 0 ? 1 : hash.low, high: hash.high, form }
}

/** Debts stay below a quarter of the range of 32-bit serial numbers; the rest tells past from future. */
const FARTHEST_TICKS = 2 ** 30
/** Keeps milliseconds since 1970 times ticks exact in a double (below 2^53) until far beyond this century. */
const MOST_TICKS_PER_MS = 2048
const FINEST_GRAIN_BITS = 6

/**
 * How a rule is counted: in integer ticks that are scaled to the rule, so that one unit costs a whole number of
 * ticks and nothing drifts. Time is cut into grains (1/64 ms to 1 ms, exact in binary), each some whole ticks.
 */
export interface Plan {
  readonly kind: LimitKind
  /** What one unit costs. */
  readonly costTicks: number
  /** The most that a key may owe: burst times cost. */
  readonly horizonTicks: number
  readonly grainsPerMs: number
  readonly ticksPerGrain: number
  /** Whether ticks do not divide grains, so that the product of time and ticks is rounded. */
  readonly isRounded: boolean
  /** Added to the debt of an idle key where a unit costs too few ticks to be dearer by the rounding; else 0. */
  readonly slackTicks: number
}

/** The debt of an account with this value, 0 (idle) to a full account and the slack of its first charge. */
export function debtTicks(plan: Plan, value: number, tick: number): number {
  const debt = (value - tick) | 0
  if (debt <= 0) return 0
  const most = plan.horizonTicks + plan.ticksPerGrain + plan.slackTicks
  return debt < most ? debt : most
}

/**
 * What an account owes at least while it is charged: time within the current grain counts as not yet passed, so that the promise
 * of "burst + rate x window" holds although ticks are rounded down. Where ticks do not divide grains, `nearScale`
 * sees to that.
 */
export function startTicks(plan: Plan, nowMs: number): number {
  if (plan.isRounded) return plan.slackTicks
  const grains = nowMs * plan.grainsPerMs
  return grains > Math.floor(grains) ? plan.ticksPerGrain : 0
}

/** Plans a rate of `burst` and `count` per `periodMs`; a window is a ring of plans of one per period. */
export function planFor(rule: LimitRule): Plan {
  if (rule.kind === 'rate') return { kind: rule.kind, ...scale(rule) }
  if (rule.kind === 'window') return { kind: rule.kind, ...scale({ ...rule, count: 1, burst: 1 }) }
  return {
    kind: rule.kind,
    costTicks: 1,
    horizonTicks: rule.count,
    grainsPerMs: 1,
    ticksPerGrain: 1,
    isRounded: false,
    slackTicks: 0,
  }
}

/** Ticks per millisecond, fractions included. */
export function ticksPerMs(plan: Plan): number {
  return plan.grainsPerMs * plan.ticksPerGrain
}

/**
 * Milliseconds after which `waitTicks` have surely passed, at least 1. A grain more where ticks do not divide
 * grains, for then the product of time and ticks is rounded.
 */
export function waitMs(plan: Plan, waitTicks: number): number {
  const grains = Math.ceil(waitTicks / plan.ticksPerGrain) + (plan.isRounded ? 1 : 0)
  return Math.max(1, Math.ceil(grains / plan.grainsPerMs))
}

type Pace = Pick<LimitRule, 'count' | 'periodMs' | 'burst'>

function scale(pace: Pace): Omit<Plan, 'kind'> {
  for (let bits = FINEST_GRAIN_BITS; bits >= 0; bits--) {
    const exact = exactScale(pace, 2 ** bits)
    if (exact !== undefined) return exact
  }
  return nearScale(pace)
}

/** Cost and grain as whole ticks: period x grains / count, reduced to lowest terms. */
function exactScale({ count, periodMs, burst }: Pace, grainsPerMs: number): Omit<Plan, 'kind'> | undefined {
  const grains = periodMs * grainsPerMs
  const divisor = greatestCommonDivisor(grains, count)
  const costTicks = grains / divisor
  const ticksPerGrain = count / divisor
  if (costTicks * burst > FARTHEST_TICKS || ticksPerGrain * grainsPerMs > MOST_TICKS_PER_MS) return undefined
  const horizonTicks = costTicks * burst
  return { costTicks, horizonTicks, grainsPerMs, ticksPerGrain, isRounded: false, slackTicks: 0 }
}

/** The rounding of two times, whole ticks above it: see `nearScale`. */
const ROUNDING_TICKS = 3
/** From this cost on, a unit that is dearer by the rounding slows a rate by less than a thousandth. */
const DEAR_ENOUGH_TICKS = 4096

/**
 * For odd pairs as 1,001/day: the cost C stays whole, the grain does not. A unit costs 3 ticks more than flow in while
 * it is paid for, so that the whole burst is there at one instant and the promise is strict all the same:
 *
 * Be K(t) the tick of a time and g the ticks that flow in a millisecond. The product of t and g is rounded by at most
 * a half (it stays below 2^53) and then down, so K(u) - K(t) < g(u - t) + 2. An account owes V; a unit at t makes it
 * max(V, K(t)) + C and is admitted if that is at most K(t) + burst C. Of n units in a window from t to u the first
 * makes V at least K(t) + C and each other adds C, so the last needs n C <= K(u) - K(t) + burst C, hence
 * (n - burst) C < g(u - t) + 2. With g = (C - 3) count / period, for n > burst:
 *
 *   (n - burst) (C - 3) < g(u - t) + 2 - 3 (n - burst) < g(u - t),   so   n < burst + (u - t) count / period.
 *
 * The tick between 2 and 3 pays for g being rounded itself. Where C is small the rate would be slowed too much; there
 * an idle key starts with the 3 ticks as a debt, so that of a burst at one instant the last unit comes microseconds late.
 */
function nearScale({ count, periodMs, burst }: Pace): Omit<Plan, 'kind'> {
  const most = Math.min(FARTHEST_TICKS / burst, (MOST_TICKS_PER_MS * periodMs) / count)
  const costTicks = Math.max(1, Math.floor(most))
  const isDear = costTicks >= DEAR_ENOUGH_TICKS
  return {
    costTicks,
    horizonTicks: costTicks * burst,
    grainsPerMs: (count * (isDear ? costTicks - ROUNDING_TICKS : costTicks)) / periodMs,
    ticksPerGrain: 1,
    isRounded: true,
    slackTicks: isDear ? 0 : ROUNDING_TICKS,
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
