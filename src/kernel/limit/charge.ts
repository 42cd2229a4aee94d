import {
  agedLeases,
  generationAt,
  generationsBetween,
  mostLeases,
  packLeases,
  packRing,
  placeOf,
  tickAt,
} from './entry.ts'
import { debtTicks, startTicks, waitMs, type Account } from './account.ts'
import type { Session } from './session.ts'
import type { Table } from './table.ts'

/** When somebody will give a place back is not known; a second is a fair time to ask again. */
const ASK_AGAIN_MS = 1000

/** One account to be charged within a session. */
export interface Charge {
  readonly account: Account
  /** The first cell; a window has one for its ring and then one per unit. */
  readonly cell: number
  readonly cost: number
  readonly nowMs: number
  /** For windows: the place in the ring that the cells were added for. */
  readonly ringPlace: number
}

/** What came of a charge: 0 or the milliseconds to wait, and what is left afterwards (undefined: look it up). */
export interface Outcome {
  readonly waitMs: number
  readonly remaining: number | undefined
}

/** Charges accounts within a session; a charge that is refused changes nothing. */
export class Charger {
  readonly #session: Session
  readonly #table: Table

  constructor(session: Session, table: Table) {
    this.#session = session
    this.#table = table
  }

  /** Charges one account. Its cells must be locked. */
  charge(charge: Charge): Outcome {
    const mark = this.#session.mark()
    const outcome = this.#byKind(charge)
    if (outcome.waitMs > 0 && !this.#holdsAnyway(charge.account)) this.#session.undo(mark)
    return outcome
  }

  /** Whether a window's ring still stands where it stood when the cells were added. */
  stands(charge: Charge): boolean {
    if (charge.account.rule.kind !== 'window') return true
    const place = this.#session.find(charge.cell)
    return (place < 0 ? 0 : placeOf(this.#table.value(place))) === charge.ringPlace
  }

  /** Gives leases back that were taken at `takenAtMs`; false when they had expired. */
  giveBack(charge: Charge, takenAtMs: number): boolean {
    const place = this.#session.find(charge.cell)
    if (place < 0) return false
    const { form, leaseMs } = charge.account
    const generation = generationAt(leaseMs, charge.nowMs)
    const { current, before } = agedLeases(this.#table.value(place), generation)
    const age = generationsBetween(generationAt(leaseMs, takenAtMs), generation)
    if (age > 1 && age < 4095) return false
    const old = age === 1 ? Math.min(before, charge.cost) : 0
    const left = { current: age === 1 ? current : Math.max(0, current - charge.cost), before: before - old }
    this.#session.write(place, packLeases(left, form, charge.nowMs))
    return age === 1 ? old > 0 : current > 0
  }

  /** Counts leases of a locked cell again, whatever the limit says. */
  hold({ account, cell, cost, nowMs }: Charge): void {
    const place = this.#session.place(cell)
    const value = this.#session.fresh ? 0 : this.#table.value(place)
    const { current, before } = agedLeases(value, generationAt(account.leaseMs, nowMs))
    const leases = { current: Math.min(mostLeases, current + cost), before }
    this.#session.write(place, packLeases(leases, account.form, nowMs))
  }

  /** A dry run of concurrency counts what really goes on at once, and `release` will come for it. */
  #holdsAnyway({ rule }: Account): boolean {
    return rule.kind === 'concurrency' && rule.dryRun
  }

  #byKind(charge: Charge): Outcome {
    switch (charge.account.rule.kind) {
      case 'rate':
        return this.#rate(charge)
      case 'window':
        return this.#window(charge)
      case 'concurrency':
        return this.#concurrency(charge)
    }
  }

  #rate({ account, cell, cost, nowMs }: Charge): Outcome {
    const { plan, rule, form } = account
    if (cost > rule.burst) return { waitMs: Number.POSITIVE_INFINITY, remaining: 0 }
    const tick = tickAt(form, nowMs)
    const place = this.#session.place(cell)
    const debt = this.#session.fresh
      ? this.#inherited(account)
      : debtTicks(plan, this.#table.value(place), tick)
    const owed = (debt > 0 ? debt : startTicks(plan, nowMs)) + cost * plan.costTicks
    if (debt > 0 && owed > plan.horizonTicks) {
      return { waitMs: waitMs(plan, owed - plan.horizonTicks), remaining: left(account, debt) }
    }
    this.#session.write(place, (tick + owed) | 0)
    return { waitMs: 0, remaining: left(account, owed) }
  }

  /** In a full bucket a new key goes on with the debt of the one it displaces (Space-Saving, ICDT 2005). */
  #inherited({ plan }: Account): number {
    return this.#session.displaced === 0 ? 0 : Math.round(this.#session.displacedShare * plan.horizonTicks)
  }

  #window({ account, cell, cost, nowMs, ringPlace }: Charge): Outcome {
    const { plan, rule, form, ringForm } = account
    if (cost > rule.count) return { waitMs: Number.POSITIVE_INFINITY, remaining: 0 }
    const tick = tickAt(form, nowMs)
    const until = tick + startTicks(plan, nowMs) + plan.costTicks
    let debt = 0
    for (let unit = 1; unit <= cost; unit++) {
      const place = this.#session.place(cell + unit)
      if (!this.#session.fresh) debt = Math.max(debt, debtTicks(plan, this.#table.value(place), tick))
      this.#session.write(place, until | 0)
    }
    if (debt > 0) return { waitMs: waitMs(plan, debt), remaining: undefined }
    const next = (ringPlace + cost) % rule.count
    const forgottenAt = tickAt(ringForm, nowMs) + ringForm.horizonTicks
    this.#session.write(this.#session.place(cell), packRing(next, forgottenAt))
    return { waitMs: 0, remaining: undefined }
  }

  #concurrency({ account, cell, cost, nowMs }: Charge): Outcome {
    const { rule, form, leaseMs } = account
    const place = this.#session.place(cell)
    const value = this.#session.fresh ? 0 : this.#table.value(place)
    const { current, before } = agedLeases(value, generationAt(leaseMs, nowMs))
    const held = current + before + cost
    if (held <= mostLeases && (held <= rule.count || rule.dryRun)) {
      this.#session.write(place, packLeases({ current: current + cost, before }, form, nowMs))
    }
    if (held <= rule.count) return { waitMs: 0, remaining: rule.count - held }
    const wait = cost > rule.count ? Number.POSITIVE_INFINITY : Math.min(ASK_AGAIN_MS, leaseMs)
    return { waitMs: wait, remaining: Math.max(0, rule.count - current - before) }
  }
}

function left({ plan }: Account, debt: number): number {
  return Math.max(0, Math.floor((plan.horizonTicks - debt) / plan.costTicks))
}

/** The index of the refusal with the longest wait, dry runs aside; -1 when there is none. */
export function longestRefusal(charges: readonly Charge[], outcomes: readonly Outcome[]): number {
  let longest = -1
  let longestMs = 0
  for (const [index, { waitMs }] of outcomes.entries()) {
    if (waitMs <= longestMs || charges[index]?.account.rule.dryRun === true) continue
    longest = index
    longestMs = waitMs
  }
  return longest
}
