import { HoldfastError } from '../std/index.ts'
import { COUNTERS, giveLock, header, LINE, STRIPES, takeLock, type Layout } from './buffer.ts'

/** What entries of a limit mean: `rate` and `slot` owe ticks, `ring` remembers a place, `leases` and `tally` count. */
export type EntryKind = 'rate' | 'slot' | 'ring' | 'leases' | 'tally'

/** What anybody needs in order to read an entry, also after the limit itself has left the policy. */
export interface EntryForm {
  readonly kind: EntryKind
  /** Debt of a full account; for leases the most at once, for tallies the most in a window. */
  readonly horizonTicks: number
  readonly grainsPerMs: number
  /** For leases: their generation's length in milliseconds; for tallies: that of a 48th of the period. */
  readonly ticksPerGrain: number
}

/** A form under the name of its limit; 64 bits of a keyed hash, never both zero. */
export interface Identity {
  readonly low: number
  readonly high: number
  readonly form: EntryForm
}

/** What has been decided under one limit since the table exists, by all threads. */
export interface Counts {
  readonly admitted: number
  /** Requests refused because of this limit. */
  readonly refused: number
  /** Requests that this limit would have refused, were it not a dry run. */
  readonly wouldRefuse: number
}

/** Word numbers in a record. */
export const record = { low: 0, high: 1, kind: 2, order: 3, horizon: 4, grains: 6, ticks: 8 } as const
/** Which counter of a limit. */
export const counter = { admitted: 0, refused: 1, wouldRefuse: 2 } as const
/** Which counter of a limit. */
export type Counter = (typeof counter)[keyof typeof counter]
/** Limit numbers begin at 1; the counters of number 0 are the table's own. */
const TABLE_ITSELF = 0
/** Stripe 0 is everybody's who found no other free. */
const COMMON_STRIPE = 0

const KINDS: readonly EntryKind[] = ['rate', 'slot', 'ring', 'leases', 'tally']
const RECLAIMED_SHARE = 4
/** The holder may be sweeping a large table. */
const SWEEP_PATIENCE_NAPS = 10_000

/** A registration under way. */
interface Allotment {
  readonly order: number
  readonly known: Map<string, number>
  /** Numbers below this are taken. */
  next: number
}

/**
 * The limits that entries may belong to, kept in the buffer itself: entries of a limit that stays in the policy
 * keep their meaning over a reload, and every thread finds the same number for the same limit.
 */
export class Registry {
  declare private readonly words: Int32Array
  declare private readonly doubles: Float64Array
  declare private readonly first: number
  declare private readonly records: number
  declare private readonly firstCount: number
  private stripe = COMMON_STRIPE
  /** Number, in doubles, of the first counter of the own stripe. */
  private ownCounts = 0

  constructor(layout: Layout) {
    this.words = new Int32Array(layout.buffer)
    this.doubles = new Float64Array(layout.buffer)
    this.first = layout.firstRecord
    this.records = layout.records
    this.firstCount = layout.firstCount
    this.claimStripe()
    this.ownCounts = this.firstCount + this.stripeOffset(this.stripe)
  }

  /** Changes whenever numbers have been given to other limits, so that everybody looks theirs up again. */
  reuses(): number {
    return this.words[header.reuses] ?? 0
  }

  /**
   * Finds or allots the numbers (from 1) of the given limits. When all are taken, the limits registered longest
   * ago make room; `forget` has to remove their entries.
   *
   * @throws HoldfastError `limit.too-many` when there are more than the buffer was made for
   */
  register(wanted: readonly Identity[], forget: (ids: ReadonlySet<number>) => void): readonly number[] {
    if (wanted.length > this.records) throw tooMany(wanted.length, this.records)
    takeLock(this.words, header.registryLock, SWEEP_PATIENCE_NAPS)
    try {
      const order = this.nextOrder()
      const known = this.known()
      const ids = wanted.map((identity) => this.renew(known.get(nameOf(identity)), order))
      const missing = new Set(
        wanted.filter((_, index) => ids[index] === undefined).map((each) => nameOf(each)),
      ).size
      if (missing > this.records - known.size) this.reclaim(missing, { order, forget })
      const context = { order, known, next: 1 }
      return wanted.map((identity, index) => ids[index] ?? this.allot(identity, context))
    } finally {
      giveLock(this.words, header.registryLock)
    }
  }

  /** The form of the entries with this number. */
  form(id: number): EntryForm {
    return readForm(this.words, this.doubles, this.at(id))
  }

  /** Adds one to a counter of a limit. */
  count(id: number, which: Counter): void {
    const at = this.ownCounts + id * COUNTERS + which
    if (this.stripe === COMMON_STRIPE) this.addCommonly(at, 1)
    else this.doubles[at] = (this.doubles[at] ?? 0) + 1
  }

  /** Adds to the number of accounts in use that had to make room. */
  countDisplaced(accounts: number): void {
    this.addCommonly(this.firstCount + TABLE_ITSELF * COUNTERS, accounts)
  }

  /** Accounts in use that had to make room. */
  displaced(): number {
    return this.sum(TABLE_ITSELF, 0)
  }

  /** Reads the counters of a limit. */
  counts(id: number): Counts {
    return {
      admitted: this.sum(id, counter.admitted),
      refused: this.sum(id, counter.refused),
      wouldRefuse: this.sum(id, counter.wouldRefuse),
    }
  }

  /** Gives the stripe back; what was counted stays. */
  close(): void {
    if (this.stripe !== COMMON_STRIPE) Atomics.store(this.words, header.stripes + this.stripe, 0)
    this.stripe = COMMON_STRIPE
    this.ownCounts = this.firstCount
  }

  /** A stripe of one's own needs no atomic additions, which would cost as much as the decision itself. */
  private claimStripe(): void {
    for (let stripe = COMMON_STRIPE + 1; stripe < STRIPES && this.stripe === COMMON_STRIPE; stripe++) {
      if (Atomics.compareExchange(this.words, header.stripes + stripe, 0, 1) === 0) this.stripe = stripe
    }
  }

  private stripeOffset(stripe: number): number {
    return stripe * (this.records + 1) * COUNTERS
  }

  private addCommonly(at: number, amount: number): void {
    takeLock(this.words, header.countLock)
    this.doubles[at] = (this.doubles[at] ?? 0) + amount
    giveLock(this.words, header.countLock)
  }

  private sum(id: number, which: number): number {
    let sum = 0
    for (let stripe = 0; stripe < STRIPES; stripe++) {
      sum += this.doubles[this.firstCount + this.stripeOffset(stripe) + id * COUNTERS + which] ?? 0
    }
    return sum
  }

  private at(id: number): number {
    return this.first + (id - 1) * LINE
  }

  private nextOrder(): number {
    return Atomics.add(this.words, header.order, 1) + 1
  }

  private known(): Map<string, number> {
    const known = new Map<string, number>()
    for (let id = 1; id <= this.records; id++) {
      const at = this.at(id)
      const [low, high] = [this.words[at + record.low] ?? 0, this.words[at + record.high] ?? 0]
      if (low !== 0 || high !== 0) known.set(nameOf({ low, high }), id)
    }
    return known
  }

  private renew(id: number | undefined, order: number): number | undefined {
    if (id !== undefined) this.words[this.at(id) + record.order] = order
    return id
  }

  private allot(identity: Identity, context: Allotment): number {
    const { order, known } = context
    const before = known.get(nameOf(identity))
    if (before !== undefined) return before
    const id = this.free(context.next)
    context.next = id + 1
    const at = this.at(id)
    this.words.fill(0, at, at + LINE)
    this.words[at + record.kind] = KINDS.indexOf(identity.form.kind) + 1
    this.words[at + record.order] = order
    this.words[at + record.horizon] = identity.form.horizonTicks
    this.doubles[(at + record.grains) / 2] = identity.form.grainsPerMs
    this.doubles[(at + record.ticks) / 2] = identity.form.ticksPerGrain
    this.words[at + record.low] = identity.low
    this.words[at + record.high] = identity.high
    known.set(nameOf(identity), id)
    return id
  }

  private free(from: number): number {
    for (let id = from; id <= this.records; id++) {
      const at = this.at(id)
      if (this.words[at + record.low] === 0 && this.words[at + record.high] === 0) return id
    }
    throw tooMany(this.records + 1, this.records)
  }

  private clear(id: number): void {
    this.words.fill(0, this.at(id), this.at(id) + LINE)
    for (let stripe = 0; stripe < STRIPES; stripe++) {
      const at = this.firstCount + this.stripeOffset(stripe) + id * COUNTERS
      this.doubles.fill(0, at, at + COUNTERS)
    }
  }

  /** Frees more than is needed, since `forget` has to go through the whole table. */
  private reclaim(
    missing: number,
    context: { order: number; forget: (ids: ReadonlySet<number>) => void },
  ): void {
    const age = (id: number): number => (context.order - (this.words[this.at(id) + record.order] ?? 0)) >>> 0
    const old = Array.from({ length: this.records }, (_, index) => index + 1)
      .filter((id) => age(id) > 0)
      .sort((a, b) => age(b) - age(a))
      .slice(0, Math.max(missing, Math.floor(this.records / RECLAIMED_SHARE)))
    Atomics.add(this.words, header.reuses, 1)
    for (const id of old) this.clear(id)
    context.forget(new Set(old))
  }
}

/** The form in the record at word number `at`. */
export function readForm(words: Int32Array, doubles: Float64Array, at: number): EntryForm {
  return {
    kind: KINDS[(words[at + record.kind] ?? 1) - 1] ?? 'rate',
    horizonTicks: words[at + record.horizon] ?? 1,
    grainsPerMs: doubles[(at + record.grains) / 2] ?? 1,
    ticksPerGrain: doubles[(at + record.ticks) / 2] ?? 1,
  }
}

function nameOf(identity: { readonly low: number; readonly high: number }): string {
  return `${identity.low}:${identity.high}`
}

function tooMany(wanted: number, records: number): HoldfastError {
  return new HoldfastError({
    code: 'limit.too-many',
    kind: 'user',
    message: `There are ${wanted} limits, but the table has room for ${records}.`,
    hint: 'Use fewer limits, or create the table with a larger limitCapacity.',
  })
}
