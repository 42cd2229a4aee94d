import { assert } from '../../std/index.ts'
import type { EntryForm } from '../registry.ts'
import type { Calendar } from './calendar.ts'

/** A value: how many in the low 24 bits, above them when the window ends, as a serial number of 8 bits. */
const COUNT_BITS = 24
const COUNT_MASK = 0xffffff
/**
 * Time is in grains, 48ths of the period, so that whoever reads the table needs no time zone to see that a window is
 * over, at most a grain late. For a day that is half an hour, and all zones reset on a whole one.
 */
const GRAINS_PER_PERIOD = 48
/** No window is longer than that, and serial numbers tell past from future for 2.6 periods. */
const SPENT_PERIODS = 2
/** A window and the one after it, a month of 31 days and a day of 25 hours included. */
const FARTHEST_GRAINS = 2 * GRAINS_PER_PERIOD + 4

type Grained = Pick<EntryForm, 'ticksPerGrain'>

/** What has been counted between two resets. */
export interface Tally {
  /** Units, 0 to 10,000,000. */
  readonly used: number
  /** The number of the grain with which the window ends. */
  readonly grain: number
  /** When it ends, in milliseconds since 1970. */
  readonly endMs: number
}

/** The form of a calendar limit's entries. */
export function tallyForm(periodMs: number, count: number): EntryForm {
  return { kind: 'tally', horizonTicks: count, grainsPerMs: 1, ticksPerGrain: periodMs / GRAINS_PER_PERIOD }
}

/** What an entry (undefined: there is none) says about the window of a time, or about a later one that was seen before. */
export function tallyAt(
  account: { readonly form: Grained; readonly calendar: Calendar | undefined },
  value: number | undefined,
  nowMs: number,
): Tally {
  assert(account.calendar !== undefined, 'only calendar limits have tallies')
  const { endMs } = account.calendar.at(nowMs)
  const grain = Math.ceil(endMs / account.form.ticksPerGrain)
  const ahead = value === undefined ? -1 : grainsAfter(value, grain)
  if (value === undefined || ahead < 0) return { used: 0, grain, endMs }
  const used = value & COUNT_MASK
  if (ahead === 0) return { used, grain, endMs }
  return { used, grain: grain + ahead, endMs: (grain + ahead) * account.form.ticksPerGrain }
}

/** Whole milliseconds to wait for the end of a window, at least 1. */
export function untilMs(endMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil(endMs - nowMs))
}

/** The entry of a tally. */
export function packTally({ used, grain }: Pick<Tally, 'used' | 'grain'>): number {
  return (grain << COUNT_BITS) | used
}

/** How many an entry counts, 0 when its window is over. */
export function liveTally(form: Grained, value: number, nowMs: number): number {
  return grainsAfter(value, grainAt(form, nowMs)) > 0 ? value & COUNT_MASK : 0
}

/** An entry that counts nothing. */
export function idleTally(form: Grained, nowMs: number): number {
  return packTally({ used: 0, grain: grainAt(form, nowMs) })
}

/** Whether an entry that nobody has looked at for `gapMs` is certainly over. */
export function isSpentTally(form: Grained, gapMs: number): boolean {
  return gapMs > SPENT_PERIODS * GRAINS_PER_PERIOD * form.ticksPerGrain
}

/**
 * The entry after the clock was set back. A window that now lies ahead stays, so that coming to it again frees nobody;
 * if it is too far ahead, the one after the present one stands for it, so that nobody is locked out for longer.
 */
export function rewoundTally(
  form: Grained,
  value: number,
  clock: { readonly fromMs: number; readonly nowMs: number },
): number | 'idle' {
  const from = grainAt(form, clock.fromMs)
  const now = grainAt(form, clock.nowMs)
  const used = value & COUNT_MASK
  const grain = Math.min(from + grainsAfter(value, from), now + FARTHEST_GRAINS)
  return used === 0 || grain <= now ? 'idle' : packTally({ used, grain })
}

function grainAt({ ticksPerGrain }: Grained, nowMs: number): number {
  return Math.floor(nowMs / ticksPerGrain)
}

/** How many grains after this one an entry's window ends (RFC 1982 arithmetic). */
function grainsAfter(value: number, grain: number): number {
  return ((value & ~COUNT_MASK) - (grain << COUNT_BITS)) >> COUNT_BITS
}
