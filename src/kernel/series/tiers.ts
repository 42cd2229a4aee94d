import type { SeriesQuery } from './port.ts'

/** One resolution: how long a step is, how many steps are stored together, and how long they are kept. */
export interface Tier {
  readonly number: 0 | 1 | 2
  readonly stepMs: number
  /** Steps of one block. */
  readonly slots: number
  readonly keepMs: number
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Seconds for an hour. */
export const seconds: Tier = { number: 0, stepMs: secondMs, slots: 60, keepMs: hourMs }
/** Minutes for a week. */
export const minutes: Tier = { number: 1, stepMs: minuteMs, slots: 60, keepMs: 7 * dayMs }
/** Hours for four hundred days. */
export const hours: Tier = { number: 2, stepMs: hourMs, slots: 24, keepMs: 400 * dayMs }

/** All resolutions, finest first. */
export const tiers: readonly Tier[] = [seconds, minutes, hours]

/** A measurement may be this far ahead of the clock; beyond it is dropped. */
export const aheadMs = minuteMs

/** An answer has at most this many points in all; more series are answered with longer steps. */
const maxPointsInAll = 100_000

/** Steps that a person can read off an axis. */
const readableStepsMs: readonly number[] = [
  ...[1, 2, 5, 10, 15, 20, 30].map((count) => count * secondMs),
  ...[1, 2, 5, 10, 15, 20, 30].map((count) => count * minuteMs),
  ...[1, 2, 3, 6, 12].map((count) => count * hourMs),
  ...[1, 2, 5, 10, 20, 50, 100, 200].map((count) => count * dayMs),
]

/** Milliseconds that a block of the tier spans. */
export function spanMs(tier: Tier): number {
  return tier.stepMs * tier.slots
}

/** Start of the block that a time belongs to. */
export function blockStart(tier: Tier, at: number): number {
  return floorTo(at, spanMs(tier))
}

/** Place of a time within its block. */
export function slotOf(tier: Tier, at: number): number {
  return Math.floor((at - blockStart(tier, at)) / tier.stepMs)
}

/** Start of the oldest block that is still kept; a block longer than promised, for whoever asks a little late. */
export function horizon(tier: Tier, now: number): number {
  return blockStart(tier, now - tier.keepMs) - spanMs(tier)
}

/** What to read for a query. */
export interface Plan {
  readonly tier: Tier
  /** A multiple of the tier's step. */
  readonly stepMs: number
  /** Both on multiples of `stepMs`; `to` is excluded. */
  readonly from: number
  readonly to: number
}

/**
 * The finest step for which the span fits into the query's points and is still kept. Times outside of what any
 * tier keeps are cut off. Undefined when nothing is left.
 */
export function planOf(query: SeriesQuery, seriesCount: number, now: number): Plan | undefined {
  const from = Math.max(query.from, horizon(hours, now))
  const to = Math.min(query.to, now + hours.keepMs)
  if (!(from < to)) return undefined
  const maxPoints = Math.min(query.maxPoints ?? 200, Math.floor(maxPointsInAll / Math.max(1, seriesCount)))
  for (const stepMs of readableStepsMs) {
    const tier = tierFor(stepMs)
    const plan = { tier, stepMs, from: floorTo(from, stepMs), to: ceilTo(to, stepMs) }
    const kept = plan.from >= horizon(tier, now) || tier === hours
    if (kept && (plan.to - plan.from) / stepMs <= maxPoints) return plan
  }
  const stepMs = Math.max(...readableStepsMs)
  return { tier: hours, stepMs, from: floorTo(from, stepMs), to: ceilTo(to, stepMs) }
}

function tierFor(stepMs: number): Tier {
  if (stepMs >= hours.stepMs) return hours
  return stepMs >= minutes.stepMs ? minutes : seconds
}

/** The largest multiple of `stepMs` that is not after `at`. */
export function floorTo(at: number, stepMs: number): number {
  return Math.floor(at / stepMs) * stepMs
}

function ceilTo(at: number, stepMs: number): number {
  return Math.ceil(at / stepMs) * stepMs
}
