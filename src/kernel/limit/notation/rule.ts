import { HoldfastError } from '../../std/index.ts'
import { faultOfDimension, printDimension } from './dimension.ts'
import { calendarPeriodMs, faultOfReset, printReset, type Reset } from './resets.ts'

/**
 * How a limit counts: `rate` is GCRA (smooth, with a burst), `window` is exact (never more than `count` in
 * any `periodMs`), `calendar` counts from one reset to the next, `concurrency` bounds what goes on at once.
 */
export type LimitKind = 'rate' | 'window' | 'calendar' | 'concurrency'

/** Where those wait whom a limit does not admit at once, before it refuses them. */
export interface Queue {
  /** How many wait at most at once, 1 to 10,000. */
  readonly places: number
  /** How long each waits at most, 1 ms to 60 s. */
  readonly patienceMs: number
}

/** A bound, as data. `printLimit` says it in words. */
export interface LimitRule {
  readonly kind: LimitKind
  /** Units per period, or at once. 1 to 10,000,000 (rate, calendar), 1,000 (window), 1,023 (concurrency). */
  readonly count: number
  /** Whole milliseconds, 1 to 366 days; the nominal day, week or month (30 days) for calendar, 0 for concurrency. */
  readonly periodMs: number
  /** Units that may come at one instant: 1 to 10,000,000 for a rate, otherwise equal to `count`. */
  readonly burst: number
  /**
   * What each has an account of its own, as `['ip']` or `['user', 'header:x-tenant']` (`dimensionOf` takes them
   * apart); empty: one account for all.
   */
  readonly per: readonly string[]
  /** When it starts afresh; for calendar, else null. */
  readonly resets: Reset | null
  /** Null: refuses at once. Neither concurrency nor a dry run queues. */
  readonly queue: Queue | null
  /** Counts and reports but never refuses. */
  readonly dryRun: boolean
}

/** The largest values that a rule may have; larger ones bound nothing or cannot be counted exactly. */
export const bounds = {
  count: 10_000_000,
  burst: 10_000_000,
  windowCount: 1000,
  concurrencyCount: 1023,
  ratePerSecond: 1_000_000,
  periodMs: 366 * 86_400_000,
  dimensions: 4,
  queuePlaces: 10_000,
  patienceMs: 60_000,
} as const

/** What is wrong with a rule, in a sentence, or undefined when nothing is. */
export function faultOf(rule: LimitRule): string | undefined {
  return (
    faultOfCount(rule) ??
    faultOfPeriod(rule) ??
    faultOfBurst(rule) ??
    faultOfPer(rule.per) ??
    faultOfResets(rule) ??
    faultOfQueue(rule)
  )
}

/** Throws `limit.unreadable` when a rule that was not parsed but built by hand cannot be kept. */
export function checkRule(rule: LimitRule, name: string): void {
  const fault = faultOf(rule)
  if (fault === undefined) return
  throw new HoldfastError({
    code: 'limit.unreadable',
    kind: 'user',
    message: `The limit ${name} cannot be kept: ${fault}.`,
    hint: 'Write it as "120/min per ip burst 60", "6 in any hour per channel" or "2 at once per user".',
  })
}

const mostOf: Readonly<Record<LimitKind, number>> = {
  rate: bounds.count,
  window: bounds.windowCount,
  calendar: bounds.count,
  concurrency: bounds.concurrencyCount,
}

function faultOfCount({ kind, count }: LimitRule): string | undefined {
  if (!Number.isInteger(count) || count < 1) {
    return `the number must be a whole number from 1 on, not ${count}; to forbid something, remove its route`
  }
  const most = mostOf[kind]
  if (count <= most) return undefined
  const instead =
    kind === 'window' ? ` (an exact window remembers every one; use a rate, "${count}/hour")` : ''
  return `${say(count)} is more than the ${say(most)} that a ${kind} limit can count${instead}`
}

function faultOfPeriod({ kind, count, periodMs }: LimitRule): string | undefined {
  if (kind === 'concurrency') return periodMs === 0 ? undefined : 'what counts at once has no period'
  if (!Number.isInteger(periodMs) || periodMs < 1)
    return 'the period must be whole milliseconds, at least 1 ms'
  if (periodMs > bounds.periodMs) return 'the period is longer than 366 days'
  if ((count / periodMs) * 1000 <= bounds.ratePerSecond) return undefined
  return `more than ${say(bounds.ratePerSecond)} per second bounds nothing on one machine`
}

function faultOfBurst({ kind, count, burst }: LimitRule): string | undefined {
  if (kind !== 'rate') return burst === count ? undefined : `only a rate has a burst, not a ${kind} limit`
  if (!Number.isInteger(burst) || burst < 1) {
    return `the burst must be a whole number from 1 on, not ${burst}: with ${burst} nothing would ever pass`
  }
  return burst > bounds.burst ? `a burst of ${say(burst)} is more than ${say(bounds.burst)}` : undefined
}

function faultOfPer(per: readonly string[]): string | undefined {
  if (per.length > bounds.dimensions) return `at most ${bounds.dimensions} things can follow "per"`
  if (new Set(per).size !== per.length) return 'the same thing follows "per" twice'
  return per.map(faultOfDimension).find((fault) => fault !== undefined)
}

function faultOfResets({ kind, periodMs, resets }: LimitRule): string | undefined {
  if (kind === 'calendar') {
    return resets === null ? 'it does not say when it resets' : faultOfReset(resets, periodMs)
  }
  return resets === null ? undefined : `only a number per day, week or month resets, not a ${kind} limit`
}

function faultOfQueue({ kind, dryRun, queue }: LimitRule): string | undefined {
  if (queue === null) return undefined
  const { places, patienceMs } = queue
  if (kind === 'concurrency') return 'a limit of what goes on at once cannot queue'
  if (dryRun) return 'a dry run refuses nothing, so nobody has to queue'
  if (!Number.isInteger(places) || places < 1 || places > bounds.queuePlaces) {
    return `a queue has 1 to ${say(bounds.queuePlaces)} places, not ${say(places)}`
  }
  if (Number.isInteger(patienceMs) && patienceMs >= 1 && patienceMs <= bounds.patienceMs) return undefined
  return 'nobody queues for less than 1 ms or longer than 60 s'
}

const say = (value: number): string => value.toLocaleString('en-GB')

const UNITS: readonly (readonly [string, number])[] = [
  ['week', 604_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
]

/** Writes a rule the way a person says it, in one canonical form; `parseLimit` of it gives the rule back. */
export function printLimit(rule: LimitRule): string {
  const { per, resets, queue } = rule
  return [
    rule.dryRun ? 'dry run ' : '',
    printBound(rule),
    per.length === 0 ? '' : ` per ${per.map(printDimension).join(' and ')}`,
    printBurst(rule),
    resets === null ? '' : ` resets ${printReset(resets)}`,
    queue === null ? '' : ` queue ${queue.places} for ${printDuration(queue.patienceMs)}`,
  ].join('')
}

function printBound({ kind, count, periodMs }: LimitRule): string {
  if (kind === 'concurrency') return `${count} at once`
  if (kind === 'calendar' && periodMs === calendarPeriodMs.month) return `${count}/month`
  const period = printPeriod(periodMs)
  return kind === 'window' ? `${count} in any ${period}` : `${count}/${period}`
}

function printBurst({ kind, count, burst }: LimitRule): string {
  return kind === 'rate' && burst !== count ? ` burst ${burst}` : ''
}

/** The largest unit that divides the period: `min`, `10s`, `2 weeks`. */
function printPeriod(periodMs: number): string {
  const [unit] = unitOf(periodMs)
  return printDuration(periodMs).replace(new RegExp(`^1 ?${unit}$`), unit)
}

/** As a period, but a number always comes first: `1 min`, `2s`. */
function printDuration(durationMs: number): string {
  const [unit, unitMs] = unitOf(durationMs)
  const amount = durationMs / unitMs
  if (unitMs < 60_000) return `${amount}${unit}`
  return `${amount} ${unit}${unit === 'min' || amount === 1 ? '' : 's'}`
}

function unitOf(durationMs: number): readonly [string, number] {
  return UNITS.find(([, unitMs]) => durationMs % unitMs === 0) ?? ['ms', 1]
}
