import type { LimitVerdict } from '../../../contracts/limits.ts'
import { mostWindowCost } from '../../../kernel/limit/index.ts'
import { assert } from '../../../kernel/std/index.ts'
import type { AppLimit } from '../rules.ts'
import type {
  By,
  CancelCommand,
  Command,
  CommitCommand,
  LeaseCommand,
  Part,
  RefundCommand,
  RenewCommand,
  ReserveCommand,
  TakeCommand,
} from './command.ts'
import { Debts } from './debts.ts'
import { drawOf, ruleOf, type Ask, type RuleOfLimit } from './draws.ts'
import { reservationExists, tooMany, unknownReservation } from './errors.ts'
import type { Charge, Meter, Times } from './meter.ts'
import { Memory } from './remembered.ts'
import { endOf, mostReservations, Reservations, type Reservation } from './reservations.ts'
import { foreseen, refusedByDebt, verdictOf, type Account } from './verdict.ts'

/** How long what was leased may be spent, at most. */
const longestLeaseMs = 60_000

/** The answer to a lease. */
export type Leased = {
  readonly granted: number
  readonly until: number
  readonly retryAfterMs: number | null
  readonly because: string | null
}

/** The answers to the commands. */
export type Answers = {
  readonly take: LimitVerdict
  /** Of the limit that refused, else of the tightest. */
  readonly takeAll: LimitVerdict
  readonly lease: Leased
  readonly reserve: LimitVerdict & { readonly id: string; readonly endsAt: number | null }
  readonly refund: { readonly refunded: number }
  readonly commit: { readonly id: string; readonly cost: number; readonly debt: number }
  readonly cancel: { readonly cancelled: boolean }
  readonly renew: { readonly id: string; readonly endsAt: number }
}

/** What a command came to. */
export interface Outcome<A = unknown> {
  readonly answer: A
  /** Something was counted or given back: it is remembered under its id, and undone if it cannot be written down. */
  readonly counted: boolean
  /** Something is different now, so it has to be written down: also a refusal that paid a part of a debt. */
  readonly changed: boolean
  /** It was answered before under the same id. */
  readonly recalled: boolean
  /** Dry-run rules that would have refused. */
  readonly wouldRefuse: readonly RuleOfLimit[]
  /** What was refused, of several takes the one that was not to be had; null: nothing. */
  readonly refused: Ask | null
}

/** What is in the ledger beside the table, as it is saved. */
export type LedgerState = {
  readonly reservations: readonly Reservation[]
  readonly debts: readonly (readonly [string, number])[]
}

/** Under which key an answer is remembered; undefined: it is not. */
function memoryKey(command: Command): string | undefined {
  switch (command.does) {
    case 'take':
      return keyOfTakes([command])
    case 'takeAll':
      return keyOfTakes(command.takes)
    case 'lease':
    case 'refund':
      return `${command.does} ${command.limit} ${command.id}`
    case 'reserve':
    case 'commit':
      return `${command.does} ${command.id}`
    case 'cancel':
    case 'renew':
      return undefined
  }
}

function keyOfTakes(takes: readonly Pick<Part, 'limit' | 'id'>[]): string | undefined {
  const hasIds = takes.every(({ id }) => id !== null)
  return hasIds ? `take ${takes.map(({ limit, id }) => `${limit} ${id}`).join('\n')}` : undefined
}

const plain = { recalled: false, wouldRefuse: [], refused: null } as const
const unchanged = <A>(answer: A): Outcome<A> => ({ ...plain, answer, counted: false, changed: false })
const changed = <A>(answer: A): Outcome<A> => ({ ...plain, answer, counted: true, changed: true })

/**
 * Everything that is counted. Deterministic: the same commands at the same times come to the same answers, so that
 * what was written down can be done again. Knows no clock, no disk and no bans.
 */
export class Ledger {
  declare private readonly limits: ReadonlyMap<string, AppLimit>
  declare readonly meter: Meter
  readonly memory = new Memory()
  private readonly reservations = new Reservations()
  private readonly debts = new Debts()

  constructor(limits: readonly AppLimit[], meter: Meter) {
    this.limits = new Map(limits.map((limit) => [limit.name, limit]))
    this.meter = meter
  }

  /** Errors: `limits.unknown-reservation`, `limits.reservation-exists`, `limits.too-many`. */
  run<C extends Command>(command: C): Outcome<Answers[C['does']]> {
    this.expire(command.at)
    const key = memoryKey(command)
    const recalled = key === undefined ? undefined : this.memory.recall(key, command.at)
    if (recalled !== undefined) {
      return { ...unchanged(this.again(command, recalled.answer)), recalled: true } as never
    }
    const outcome = this.act(command)
    if (outcome.counted && key !== undefined) this.memory.remember(key, outcome.answer, command.at)
    return outcome as never
  }

  /** What a take would come to. */
  foresee({ at, limit, by, override, cost }: Omit<TakeCommand, 'does' | 'id'>): LimitVerdict {
    this.expire(at)
    const charges = this.chargesOf(limit, by, override)
    return foreseen(
      { limit, cost },
      charges.map((charge) => this.account(charge, at)),
      at,
    )
  }

  /** Undoes what could not be written down, as far as somebody would otherwise be charged for it. */
  undo(command: Command, { answer, counted }: Outcome): void {
    if (!counted) return
    const key = memoryKey(command)
    if (command.does === 'take') this.returnUnits(command, command.cost)
    else if (command.does === 'takeAll')
      for (const part of command.takes) this.returnUnits({ ...part, at: command.at }, part.cost)
    else if (command.does === 'lease') this.returnUnits(command, (answer as Leased).granted)
    else if (command.does === 'reserve') this.close(command.id, command.at)
    else return
    if (key !== undefined) this.memory.forget(key)
  }

  /** What is open and owed. */
  state(): LedgerState {
    return { reservations: this.reservations.all(), debts: this.debts.entries() }
  }

  /** Takes over what `state` gave; reservations of limits that are gone are dropped. */
  restore({ reservations, debts }: LedgerState): void {
    for (const reservation of reservations) {
      if (this.limits.has(reservation.limit)) this.reservations.set(reservation)
    }
    this.debts.restore(debts)
  }

  private act(command: Command): Outcome {
    switch (command.does) {
      case 'take':
        return this.take([command], command.at)
      case 'takeAll':
        return this.take(command.takes, command.at)
      case 'lease':
        return this.lease(command)
      case 'reserve':
        return this.reserve(command)
      case 'refund':
        return this.refund(command)
      case 'commit':
        return this.commit(command)
      case 'cancel':
        return this.cancel(command)
      case 'renew':
        return this.renew(command)
    }
  }

  /** The same id must mean the same thing, or somebody would run on another one's reservation. */
  private again(command: Command, answer: unknown): unknown {
    if (command.does !== 'reserve') return answer
    if ((answer as LimitVerdict).limit !== command.limit) throw reservationExists(command.id)
    const open = this.reservations.get(command.id)
    if (open !== undefined && JSON.stringify(open.by) !== JSON.stringify(command.by)) {
      throw reservationExists(command.id)
    }
    return answer
  }

  /** From all or from none. */
  private take(asks: readonly Ask[], at: number): Outcome<LimitVerdict> {
    const draws = asks.map((ask) => ({
      ask,
      cost: ask.cost,
      charges: this.chargesOf(ask.limit, ask.by, ask.override),
    }))
    const { paid, debtor } = this.settle(
      draws.flatMap(({ charges }) => charges),
      at,
    )
    const refuse = (refused: Ask, answer: LimitVerdict): Outcome<LimitVerdict> => {
      return { ...unchanged(answer), changed: paid, refused }
    }
    if (debtor !== null) {
      const { ask } = drawOf(draws, debtor.index, (charge) => charge === debtor)
      return refuse(ask, refusedByDebt(ask, this.account(debtor, at), at))
    }
    const decided = this.meter.take(draws, at)
    const wouldRefuse = decided.wouldRefuse.map((index) => ruleOf(draws, index))
    if (decided.admitted) {
      const { ask, charges } = drawOf(draws, decided.tightest)
      const answer = verdictOf(ask, { ...decided, charges }, at)
      return { ...changed(answer), wouldRefuse }
    }
    const lacks = (charge: Charge, cost: number): boolean => this.meter.standing(charge, at).remaining < cost
    const { ask, charges } = drawOf(draws, decided.refusedBy, lacks)
    const isNever = decided.retryAfterMs === Number.POSITIVE_INFINITY
    const answer = isNever ? this.foresee({ ...ask, at }) : verdictOf(ask, { ...decided, charges }, at)
    return { ...refuse(ask, answer), wouldRefuse: isNever ? [] : wouldRefuse }
  }

  private account(charge: Charge, at: number): Account {
    return { charge, standing: this.meter.standing(charge, at), owed: this.debts.of(charge) }
  }

  /** Pays debts with what has come in since; says whether it did, and the first account that still owes something. */
  private settle(charges: readonly Charge[], at: number): { paid: boolean; debtor: Charge | null } {
    if (this.debts.none) return { paid: false, debtor: null }
    let paid = 0
    for (const charge of charges) {
      const owed = this.debts.of(charge)
      const drawn = owed > 0 ? this.draw(charge, owed, at) : 0
      if (drawn > 0) this.debts.set(charge, owed - drawn)
      paid += drawn
    }
    return { paid: paid > 0, debtor: charges.find((charge) => this.debts.of(charge) > 0) ?? null }
  }

  /** Takes as much as an account has, at most so many; answers how many. */
  private draw(charge: Charge, units: number, at: number): number {
    let drawn = 0
    const most = charge.rule.kind === 'window' ? mostWindowCost : units
    while (drawn < units) {
      const cost = Math.min(units - drawn, most, this.meter.standing(charge, at).remaining)
      if (cost < 1 || !this.meter.take([{ charges: [charge], cost }], at).admitted) break
      drawn += cost
    }
    return drawn
  }

  private lease({ at, limit, by, override, units }: LeaseCommand): Outcome<Leased> {
    const charges = this.chargesOf(limit, by, override)
    const asked = { limit, by, override }
    const judging = charges.filter(({ rule }) => !rule.dryRun)
    const hasWindow = charges.some(({ rule }) => rule.kind === 'window')
    const left = judging.map((charge) => this.meter.standing(charge, at).remaining - this.debts.of(charge))
    const cost = Math.max(1, Math.min(units, hasWindow ? mostWindowCost : units, ...left))
    const { answer, counted: admitted, changed: isChanged } = this.take([{ ...asked, cost }], at)
    const until = at + Math.min(longestLeaseMs, ...judging.map((charge) => this.spendableMs(charge, at)))
    const { retryAfterMs, because } = answer
    const leased = { granted: admitted ? cost : 0, until, retryAfterMs, because }
    return { ...plain, answer: leased, counted: admitted, changed: isChanged }
  }

  /** A tenth of the period: so much later than it was counted may a unit be spent. */
  private spendableMs(charge: Charge, at: number): number {
    const tenth = Math.max(1000, charge.rule.periodMs / 10)
    if (charge.rule.kind !== 'calendar') return Math.floor(tenth)
    return Math.max(0, this.meter.standing(charge, at).resetsAtMs - at)
  }

  private reserve(command: ReserveCommand): Outcome<Answers['reserve']> {
    const { at, id, limit, by, override, cost, leaseMs } = command
    if (this.reservations.get(id) !== undefined) throw reservationExists(id)
    if (this.reservations.size >= mostReservations) throw tooMany('reservations', mostReservations)
    const taken = this.take([command], at)
    const { answer, counted, wouldRefuse } = taken
    if (!counted) return { ...taken, answer: { ...answer, id, endsAt: null } }
    const endsAt = at + leaseMs
    this.reservations.set({ id, limit, by, override, cost, takenAt: at, leasedAt: at, endsAt })
    return { ...changed({ ...answer, id, endsAt }), wouldRefuse }
  }

  private commit({ at, id, cost: wanted }: CommitCommand): Outcome<Answers['commit']> {
    const reservation = this.openOne(id)
    const cost = wanted ?? reservation.cost
    const all = this.chargesOf(reservation.limit, reservation.by, reservation.override)
    const lasting = all.filter(({ rule }) => rule.kind !== 'concurrency')
    const passing = all.filter(({ rule }) => rule.kind === 'concurrency')
    const times = { ...reservation, at }
    this.reservations.delete(id)
    this.meter.giveBack(passing, reservation.cost, times)
    this.meter.giveBack(lasting, reservation.cost - cost, times)
    const debt = cost > reservation.cost ? this.charge(lasting, cost - reservation.cost, at) : 0
    return changed({ id, cost, debt })
  }

  /** Takes units whatever there is; what there is not becomes a debt, whose largest is answered. */
  private charge(charges: readonly Charge[], units: number, at: number): number {
    const owed = charges.map((charge) => {
      const short = units - (this.debts.of(charge) > 0 ? 0 : this.draw(charge, units, at))
      if (!charge.rule.dryRun) this.debts.set(charge, this.debts.of(charge) + short)
      return charge.rule.dryRun ? 0 : short
    })
    return Math.max(0, ...owed)
  }

  private cancel({ at, id }: CancelCommand): Outcome<Answers['cancel']> {
    if (this.reservations.get(id) === undefined) return unchanged({ cancelled: false })
    this.close(id, at)
    return changed({ cancelled: true })
  }

  private renew({ at, id, leaseMs }: RenewCommand): Outcome<Answers['renew']> {
    const reservation = this.openOne(id)
    const endsAt = at + leaseMs
    const charges = this.chargesOf(reservation.limit, reservation.by, reservation.override)
    this.meter.renew(charges, reservation.cost, { ...reservation, at })
    this.reservations.set({ ...reservation, leasedAt: at, endsAt })
    return changed({ id, endsAt })
  }

  private refund({ at, limit, by, override, cost, id }: RefundCommand): Outcome<Answers['refund']> {
    const charges = this.chargesOf(limit, by, override)
    const takenAt = this.memory.recall(`lease ${limit} ${id}`, at)?.at ?? at
    const used = charges.map((charge) => this.used(charge, at))
    const refunded = Math.min(cost, Math.max(0, ...used))
    for (const charge of charges) this.refundOne(charge, cost, { takenAt, leasedAt: takenAt, at })
    return changed({ refunded })
  }

  private used(charge: Charge, at: number): number {
    return this.meter.standing(charge, at).used + this.debts.of(charge)
  }

  private refundOne(charge: Charge, cost: number, times: Times): void {
    const owed = this.debts.of(charge)
    const paid = Math.min(owed, cost)
    if (paid > 0) this.debts.set(charge, owed - paid)
    this.meter.giveBack([charge], cost - paid, times)
  }

  private returnUnits(
    { limit, by, override, at }: Pick<TakeCommand, 'at' | 'limit' | 'by' | 'override'>,
    cost: number,
  ): void {
    this.meter.giveBack(this.chargesOf(limit, by, override), cost, { takenAt: at, leasedAt: at, at })
  }

  private expire(at: number): void {
    // At the time of its own end, not of whoever asks next: so it comes to the same when it is done again.
    for (const ended of this.reservations.takeEnded(at)) this.release(ended, endOf(ended))
  }

  private close(id: string, at: number): void {
    const reservation = this.reservations.get(id)
    this.reservations.delete(id)
    if (reservation !== undefined) this.release(reservation, at)
  }

  private release(reservation: Reservation, at: number): void {
    const { limit, by, override, cost } = reservation
    this.meter.giveBack(this.chargesOf(limit, by, override), cost, { ...reservation, at })
  }

  private openOne(id: string): Reservation {
    const reservation = this.reservations.get(id)
    if (reservation === undefined) throw unknownReservation(id)
    return reservation
  }

  /** Nothing when limit or override are gone: then there is nothing left to count in. */
  private chargesOf(limit: string, by: By, override: string | null): readonly Charge[] {
    const found = this.limits.get(limit)
    assert(found !== undefined, `there is no limit ${limit}`)
    return this.meter.charges(found, by, override) ?? []
  }
}
