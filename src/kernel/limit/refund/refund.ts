import { debtTicks, startTicks, type Account, type Plan } from '../account.ts'
import { idleTally, packTally, tallyAt } from '../calendar/tally.ts'
import { placeOf, tickAt, withPlace } from '../entry.ts'
import { slotLanes, type Lanes, type Reader } from '../peek.ts'
import { mostWindowCost } from '../port.ts'
import type { Session } from '../session.ts'

/** The newest places of a window that are searched for what is to be given back. */
const MOST_PLACES = 2 * mostWindowCost
/** After that many lost races over a ring nothing is given back: at worst somebody waits. */
const RING_TURNS = 32
/** By how much the ticks between two times may differ from the time itself where they do not divide grains. */
const ROUNDING_TICKS = 3

/** Units of one account that are to be given back. */
export interface Refund {
  readonly account: Account
  readonly lanes: Lanes
  readonly cost: number
  readonly takenAtMs: number
  readonly nowMs: number
}

/**
 * Gives units back, so that the account is at most as empty as if they had never been taken: what was admitted in the
 * meantime was admitted with them, and the promises hold for what is left.
 */
export class Refunder {
  declare private readonly session: Session
  declare private readonly reader: Reader

  constructor(session: Session, reader: Reader) {
    this.session = session
    this.reader = reader
  }

  /** Gives back to a rate, a window or a calendar limit; leases are released by the `Charger`. */
  refund(refund: Refund): void {
    switch (refund.account.rule.kind) {
      case 'rate':
        return this.one(refund, paidBack)
      case 'calendar':
        return this.one(refund, countedBack)
      case 'window':
        return this.window(refund)
      case 'concurrency':
        return
    }
  }

  private one(refund: Refund, next: (value: number, refund: Refund) => number): void {
    this.session.begin(refund.nowMs)
    const cell = this.session.add(refund.lanes.low, refund.lanes.high, refund.account)
    this.lock()
    const held = this.session.find(cell)
    if (held >= 0) this.session.write(held, next(this.session.value(held), refund))
    this.session.end()
  }

  private window(refund: Refund): void {
    for (let turn = 0; turn < RING_TURNS; turn++) {
      const place = this.reader.ringPlace(refund.account, refund.lanes, refund.nowMs)
      this.session.begin(refund.nowMs)
      const ring = this.session.add(refund.lanes.low, refund.lanes.high, refund.account.ring)
      const places = this.addPlaces(refund, place)
      this.lock()
      const held = this.session.find(ring)
      const isThere = held >= 0 && placeOf(this.session.value(held)) === place
      if (isThere) this.turnBack(refund, { ring: held, places })
      this.session.end()
      if (isThere || held < 0) return
    }
  }

  /** The cells of the newest places, the newest first. */
  private addPlaces({ account, lanes }: Refund, ringPlace: number): readonly number[] {
    const { count } = account.rule
    return Array.from({ length: Math.min(count, MOST_PLACES) }, (_, index) => {
      const slot = slotLanes(lanes, (ringPlace + count - 1 - index) % count)
      return this.session.add(slot.low, slot.high, account)
    })
  }

  /** Those that came later move down to where the units were, and the newest places become free. */
  private turnBack(refund: Refund, at: { ring: number; places: readonly number[] }): void {
    const { account, cost, takenAtMs, nowMs } = refund
    const { plan, rule } = account
    const tick = tickAt(plan, nowMs)
    const taken = (tickAt(plan, takenAtMs) + startTicks(plan, takenAtMs) + plan.costTicks) | 0
    const held = this.living(at.places, (value) => debtTicks(plan, value, tick) > 0)
    const values = held.map((each) => this.session.value(each))
    const newer = values.indexOf(taken)
    if (newer < 0) return
    const units = values.slice(newer, newer + cost).filter((value) => value === taken).length
    const idle = tickAt(plan, Math.min(takenAtMs, nowMs))
    for (let index = 0; index < newer + units; index++) {
      this.session.write(held[index] ?? 0, values[index - units] ?? idle)
    }
    const ring = this.session.value(at.ring)
    this.session.write(at.ring, withPlace(ring, (placeOf(ring) + rule.count - units) % rule.count))
  }

  /** What is held of the newest places, up to the first that is idle or has no entry. */
  private living(places: readonly number[], isAlive: (value: number) => boolean): readonly number[] {
    const held: number[] = []
    for (const cell of places) {
      const each = this.session.find(cell)
      if (each < 0 || !isAlive(this.session.value(each))) break
      held.push(each)
    }
    return held
  }

  private lock(): void {
    if (!this.session.lockNarrowly()) this.session.lockWidely()
  }
}

/**
 * The rate's value with less debt. Time since the units were taken may have paid for them already; whether it paid for
 * them or for older debts is not known, so it counts as having paid for them.
 */
function paidBack(value: number, { account, cost, takenAtMs, nowMs }: Refund): number {
  const { plan } = account
  const tick = tickAt(plan, nowMs)
  const unpaid = Math.max(0, cost * plan.costTicks - passedTicks(plan, nowMs - takenAtMs))
  const left = debtTicks(plan, value, tick) - unpaid
  // An idle key starts with as much, see `startTicks`.
  return left <= startTicks(plan, nowMs) ? tick : (tick + left) | 0
}

/** The ticks that may have passed, rounded up. */
function passedTicks(plan: Plan, passedMs: number): number {
  if (passedMs <= 0) return 0
  return Math.ceil(passedMs * plan.grainsPerMs) * plan.ticksPerGrain + (plan.isRounded ? ROUNDING_TICKS : 0)
}

/** The tally's value with fewer units, if they were counted in the same window. */
function countedBack(value: number, { account, cost, takenAtMs, nowMs }: Refund): number {
  const atMs = Math.max(takenAtMs, nowMs)
  const window = account.calendar?.at(atMs)
  const { used, grain, endMs } = tallyAt(account, value, atMs)
  if (window === undefined || takenAtMs < window.startMs || endMs !== window.endMs) return value
  return used <= cost ? idleTally(account.form, nowMs) : packTally({ used: used - cost, grain })
}
