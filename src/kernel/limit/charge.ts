import {
  agedLeases,
  ASK_AGAIN_MS,
  generationAt,
  generationsBetween,
  isAhead,
  mostLeases,
  packLeases,
  packRing,
  placeOf,
  tickAt,
  type Leases,
} from './entry.ts'
import { debtTicks, startTicks, ticksPerMs, waitMs, type Account, type Plan } from './account.ts'
import { packTally, tallyAt, untilMs } from './calendar/tally.ts'
import type { Session } from './session.ts'

/** One account to be charged within a session. */
export interface Charge {
  readonly account: Account
  /** The first cell; a window has one for its ring and then one per unit. */
  readonly cell: number
  readonly cost: number
  readonly nowMs: number
  /** For windows: the place in the ring that the cells were added for. */
  readonly ringPlace: number
  /** How far beyond it its units begin, since the same request asks for some before. */
  readonly ringOffset: number
}

/** What came of a charge. */
export interface Outcome {
  /** Milliseconds to wait; 0 when admitted. */
  readonly waitMs: number
  /** Units left afterwards; undefined: look it up. */
  readonly remaining: number | undefined
  /** When it is as if unused; undefined: look it up. */
  readonly resetsAtMs: number | undefined
}

/** Charges accounts within a session; a charge that is refused changes nothing. */
export class Charger {
  declare private readonly session: Session

  constructor(session: Session) {
    this.session = session
  }

  /** Charges one account. Its cells must be locked. */
  charge(charge: Charge): Outcome {
    const mark = this.session.mark()
    const outcome = this.byKind(charge)
    if (outcome.waitMs > 0 && !this.holdsAnyway(charge.account)) this.session.undo(mark)
    return outcome
  }

  /** Whether a window's ring still stands where it stood when the cells were added. */
  stands(charge: Charge): boolean {
    if (charge.account.rule.kind !== 'window') return true
    const held = this.session.find(charge.cell)
    return (held < 0 ? 0 : placeOf(this.session.value(held))) === charge.ringPlace
  }

  /** Gives leases back that were taken at `takenAtMs`; false when they had expired. */
  giveBack({ account, cell, cost, nowMs }: Charge, takenAtMs: number): boolean {
    const held = this.session.find(cell)
    if (held < 0) return false
    const { form, leaseMs } = account
    const generation = generationAt(leaseMs, nowMs)
    const { current, before } = agedLeases(this.session.value(held), generation)
    const age = generationsBetween(generationAt(leaseMs, takenAtMs), generation)
    const isOld = age === 1
    // Before a step back of the clock the generation was a later one; what was taken then counts as current now.
    if (!isOld && age !== 0 && !isAhead(age)) return false
    const left = isOld
      ? { current, before: Math.max(0, before - cost) }
      : { current: Math.max(0, current - cost), before }
    this.session.write(held, packLeases(left, form, nowMs))
    return (isOld ? before : current) > 0
  }

  /** Counts leases again, whatever the limit says. */
  prolong({ account, cell, cost, nowMs }: Charge): void {
    const held = this.session.hold(cell)
    if (held >= 0) this.addLeases(held, account, { cost, nowMs })
  }

  /** A dry run of concurrency counts what really goes on at once, and `release` will come for it. */
  private holdsAnyway({ rule }: Account): boolean {
    return rule.kind === 'concurrency' && rule.dryRun
  }

  private byKind(charge: Charge): Outcome {
    switch (charge.account.rule.kind) {
      case 'rate':
        return this.rate(charge)
      case 'window':
        return this.window(charge)
      case 'calendar':
        return this.calendar(charge)
      case 'concurrency':
        return this.concurrency(charge)
    }
  }

  private rate({ account, cell, cost, nowMs }: Charge): Outcome {
    const { plan, rule } = account
    if (cost > rule.burst) return never
    const held = this.session.hold(cell)
    if (held < 0) return askAgain
    const tick = tickAt(plan, nowMs)
    const debt = this.session.fresh ? this.inherited(plan) : debtTicks(plan, this.session.value(held), tick)
    const owed = Math.max(debt, startTicks(plan, nowMs)) + cost * plan.costTicks
    if (debt > 0 && owed > plan.horizonTicks) {
      return { ...standingOf(plan, debt, nowMs), waitMs: waitMs(plan, owed - plan.horizonTicks) }
    }
    this.session.write(held, (tick + owed) | 0)
    return { ...standingOf(plan, owed, nowMs), waitMs: 0 }
  }

  /** In a full bucket a new key goes on with the debt of the one that makes room (Space-Saving, ICDT 2005). */
  private inherited(plan: Plan): number {
    return Math.round(this.session.displacedShare * plan.horizonTicks)
  }

  private window({ account, cell, cost, nowMs, ...ring }: Charge): Outcome {
    const { plan, rule, ringForm } = account
    if (cost > rule.count) return never
    const tick = tickAt(plan, nowMs)
    const until = tick + startTicks(plan, nowMs) + plan.costTicks
    let debt = 0
    for (let unit = 1; unit <= cost; unit++) {
      const held = this.session.hold(cell + unit)
      if (held < 0) return askAgain
      if (!this.session.fresh) debt = Math.max(debt, debtTicks(plan, this.session.value(held), tick))
      this.session.write(held, until | 0)
    }
    if (debt > 0) return { ...lookUp, waitMs: waitMs(plan, debt) }
    const held = this.session.hold(cell)
    const forgottenAt = tickAt(ringForm, nowMs) + ringForm.horizonTicks
    if (held >= 0)
      this.session.write(held, packRing((ring.ringPlace + ring.ringOffset + cost) % rule.count, forgottenAt))
    return { ...lookUp, waitMs: 0 }
  }

  private calendar({ account, cell, cost, nowMs }: Charge): Outcome {
    const { rule, plan } = account
    if (cost > rule.count) return never
    const held = this.session.hold(cell)
    if (held < 0) return askAgain
    const { used, grain, endMs } = this.session.fresh
      ? { ...tallyAt(account, undefined, nowMs), used: Math.min(rule.count, this.inherited(plan)) }
      : tallyAt(account, this.session.value(held), nowMs)
    const left = rule.count - used
    if (cost > left) return { waitMs: untilMs(endMs, nowMs), remaining: left, resetsAtMs: endMs }
    this.session.write(held, packTally({ used: used + cost, grain }))
    return { waitMs: 0, remaining: left - cost, resetsAtMs: endMs }
  }

  private concurrency({ account, cell, cost, nowMs }: Charge): Outcome {
    const { rule } = account
    if (cost > rule.count && !rule.dryRun) return never
    const held = this.session.hold(cell)
    if (held < 0) return askAgain
    const leases = this.leases(held, account, nowMs)
    const left = rule.count - leases.current - leases.before
    if (cost > left && !rule.dryRun) return { ...askAgain, remaining: Math.max(0, left) }
    this.addLeases(held, account, { cost, nowMs })
    return cost > left ? askAgain : { ...lookUp, waitMs: 0, remaining: left - cost }
  }

  private addLeases(held: number, account: Account, { cost, nowMs }: { cost: number; nowMs: number }): void {
    const { current, before } = this.leases(held, account, nowMs)
    const leases = { current: Math.min(mostLeases, current + cost), before }
    this.session.write(held, packLeases(leases, account.form, nowMs))
  }

  private leases(held: number, { leaseMs }: Account, nowMs: number): Leases {
    if (this.session.fresh) return noLeases
    return agedLeases(this.session.value(held), generationAt(leaseMs, nowMs))
  }
}

const lookUp = { remaining: undefined, resetsAtMs: undefined }
const never: Outcome = { ...lookUp, waitMs: Number.POSITIVE_INFINITY, remaining: 0 }
const askAgain: Outcome = { ...lookUp, waitMs: ASK_AGAIN_MS, remaining: 0 }
const noLeases: Leases = { current: 0, before: 0 }

function standingOf(plan: Plan, debt: number, nowMs: number): Omit<Outcome, 'waitMs'> {
  return {
    remaining: Math.max(0, Math.floor((plan.horizonTicks - debt) / plan.costTicks)),
    resetsAtMs: nowMs + Math.ceil(debt / ticksPerMs(plan)),
  }
}

/** The index of the refusal with the longest wait, dry runs aside; -1 when there is none. */
export function longestRefusal(charges: readonly Charge[], outcomes: readonly Outcome[]): number {
  let longest = -1
  let longestMs = 0
  for (let index = 0; index < outcomes.length; index++) {
    const waitMs = outcomes[index]?.waitMs ?? 0
    if (waitMs <= longestMs || charges[index]?.account.rule.dryRun === true) continue
    longest = index
    longestMs = waitMs
  }
  return longest
}
