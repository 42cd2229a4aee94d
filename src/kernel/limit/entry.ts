import { idleTally, isSpentTally, liveTally, rewoundTally } from './calendar/tally.ts'
import type { EntryForm } from './registry.ts'

/** A ring's value: the next place in the low 10 bits, above them a serial number of 22 bits for its time. */
const PLACE_BITS = 10
/** A lease count's value: two counts of 10 bits (this generation, the one before), above them the generation. */
const COUNT_BITS = 10
const COUNT_MASK = 0x3ff
const GENERATION_MASK = 0xfff

/** Beyond these gaps serial numbers have wrapped, and whatever the entry owed is long paid. */
const SPENT_TICKS = 1.5 * 2 ** 30
const SPENT_RING_TICKS = 2 ** 20
const SPENT_GENERATIONS = 1024

/** Ticks since 1970 as a 32-bit serial number (RFC 1982 arithmetic). */
export function tickAt(form: Omit<EntryForm, 'kind'>, nowMs: number): number {
  return (Math.floor(nowMs * form.grainsPerMs) * form.ticksPerGrain) | 0
}

/** Whether an entry of this form that nobody has looked at for `gapMs` is certainly idle. */
export function isSpent(form: EntryForm, gapMs: number): boolean {
  if (form.kind === 'leases') return gapMs > SPENT_GENERATIONS * form.ticksPerGrain
  if (form.kind === 'tally') return isSpentTally(form, gapMs)
  const most = form.kind === 'ring' ? SPENT_RING_TICKS : SPENT_TICKS
  return gapMs * form.grainsPerMs * form.ticksPerGrain > most
}

/** How much of its allowance an entry has in use: 0 is idle, 1 full, more only after the clock jumped back. */
export function shareOf(form: EntryForm, value: number, nowMs: number): number {
  return Math.max(0, debtOf(form, value, nowMs)) / form.horizonTicks
}

/**
 * The value after the clock was set back from `fromMs` to `nowMs`: what is owed stays owed, but never more than
 * a full account, so that nobody is freed and nobody is locked out for longer than a refill (two periods of a
 * calendar limit). 'idle' if nothing is.
 */
export function rewound(
  form: EntryForm,
  value: number,
  clock: { readonly fromMs: number; readonly nowMs: number },
): number | 'idle' {
  if (form.kind === 'tally') return rewoundTally(form, value, clock)
  const debt = Math.min(debtOf(form, value, clock.fromMs), form.horizonTicks)
  if (debt <= 0) return 'idle'
  if (form.kind === 'leases') {
    return packLeases(agedLeases(value, generationAt(form.ticksPerGrain, clock.fromMs)), form, clock.nowMs)
  }
  if (form.kind === 'ring') return packRing(placeOf(value), tickAt(form, clock.nowMs) + debt)
  return (tickAt(form, clock.nowMs) + debt) | 0
}

/** A value that owes nothing. */
export function idleValue(form: EntryForm, nowMs: number): number {
  if (form.kind === 'leases') return packLeases({ current: 0, before: 0 }, form, nowMs)
  if (form.kind === 'tally') return idleTally(form, nowMs)
  return form.kind === 'ring' ? packRing(0, tickAt(form, nowMs)) : tickAt(form, nowMs)
}

function debtOf(form: EntryForm, value: number, nowMs: number): number {
  if (form.kind === 'leases') {
    const leases = agedLeases(value, generationAt(form.ticksPerGrain, nowMs))
    return leases.current + leases.before
  }
  if (form.kind === 'tally') return liveTally(form, value, nowMs)
  const now = tickAt(form, nowMs)
  if (form.kind !== 'ring') return (value - now) | 0
  return (((value & ~COUNT_MASK) - (now << PLACE_BITS)) | 0) >> PLACE_BITS
}

/** The form of a ring's entry for a window of `periodMs`: time in 64ths of the period, but at least 1 ms. */
export function ringForm(periodMs: number): EntryForm {
  const grainsPerMs = Math.min(1, 64 / periodMs)
  return { kind: 'ring', horizonTicks: Math.ceil(periodMs * grainsPerMs) + 1, grainsPerMs, ticksPerGrain: 1 }
}

/** A ring whose next place is `place` and whose latest admission is forgotten at tick `until`. */
export function packRing(place: number, until: number): number {
  return (until << PLACE_BITS) | place
}

/** The next place of a ring. */
export function placeOf(value: number): number {
  return value & COUNT_MASK
}

/** When somebody will give a lease back is not known; a second is a fair time to ask again. */
export const ASK_AGAIN_MS = 1000

/** A ring with another next place. */
export function withPlace(value: number, place: number): number {
  return (value & ~COUNT_MASK) | place
}

/** Leases taken in the current generation and in the one before; older ones have expired. */
export interface Leases {
  readonly current: number
  readonly before: number
}

/** The most that a count holds. */
export const mostLeases = COUNT_MASK

/** Leases expire by generations of the lease's length: each lives for at least one, at most two of them. */
export function generationAt(leaseMs: number, nowMs: number): number {
  return Math.floor(nowMs / leaseMs) & GENERATION_MASK
}

/** How many generations have gone by, 0 to 4,095; the upper half means that time went back, see `isAhead`. */
export function generationsBetween(earlier: number, later: number): number {
  return (later - earlier) & GENERATION_MASK
}

/** Whether the earlier generation is in truth the later one, since the clock was set back in between. */
export function isAhead(generations: number): boolean {
  return generations > GENERATION_MASK / 2
}

/** The leases as of a generation. Those of a generation ahead of it (the clock was set back) are kept. */
export function agedLeases(value: number, generation: number): Leases {
  const leases = { current: value & COUNT_MASK, before: (value >>> COUNT_BITS) & COUNT_MASK }
  const age = generationsBetween(value >>> (2 * COUNT_BITS), generation)
  if (age === 0 || isAhead(age)) return leases
  return age === 1 ? { current: 0, before: leases.current } : { current: 0, before: 0 }
}

/** The value of an entry with these leases. */
export function packLeases(leases: Leases, form: Pick<EntryForm, 'ticksPerGrain'>, nowMs: number): number {
  const generation = generationAt(form.ticksPerGrain, nowMs)
  return (generation << (2 * COUNT_BITS)) | (leases.before << COUNT_BITS) | leases.current
}
