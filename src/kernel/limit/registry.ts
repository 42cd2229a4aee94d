import { HoldfastError } from '../std/index.ts'
import { giveLock, header, LINE, takeLock, type Layout } from './buffer.ts'

/** What entries of a limit mean: `rate` and `slot` owe ticks, `ring` remembers a place, `leases` counts. */
export type EntryKind = 'rate' | 'slot' | 'ring' | 'leases'

/** What anybody needs in order to read an entry, also after the limit itself has left the policy. */
export interface EntryForm {
  readonly kind: EntryKind
  /** Debt of a full account; for leases the most at once. */
  readonly horizonTicks: number
  readonly grainsPerMs: number
  /** For leases: their generation's length in milliseconds. */
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

/** Word numbers in a record. The forms lie between the identity and the counters: one line in all. */
const record = { low: 0, high: 1, kind: 2, order: 3, horizon: 4, grains: 6, ticks: 8 } as const
/** Word numbers of the low halves of the counters in a record. */
export const counter = { admitted: 10, refused: 12, wouldRefuse: 14 } as const
/** Which counter. */
export type Counter = (typeof counter)[keyof typeof counter]

const KINDS: readonly EntryKind[] = ['rate', 'slot', 'ring', 'leases']
const RECLAIMED_SHARE = 4
/** The holder may be sweeping a large table. */
const SWEEP_PATIENCE_NAPS = 10_000

/**
 * The limits that entries may belong to, kept in the buffer itself: entries of a limit that stays in the policy
 * keep their meaning over a reload, and every thread finds the same number for the same limit.
 */
export class Registry {
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  readonly #first: number
  readonly #records: number

  constructor(layout: Layout) {
    this.#words = new Int32Array(layout.buffer)
    this.#doubles = new Float64Array(layout.buffer)
    this.#first = layout.firstRecord
    this.#records = layout.records
  }

  /** Changes whenever numbers have been given to other limits, so that everybody looks theirs up again. */
  reuses(): number {
    return this.#words[header.reuses] ?? 0
  }

  /**
   * Finds or allots the numbers (from 1) of the given limits. When all are taken, the limits registered longest
   * ago make room; `forget` has to remove their entries.
   *
   * @throws HoldfastError `limit.too-many` when there are more than the buffer was made for
   */
  register(wanted: readonly Identity[], forget: (ids: ReadonlySet<number>) => void): readonly number[] {
    if (wanted.length > this.#records) throw tooMany(wanted.length, this.#records)
    takeLock(this.#words, header.registryLock, SWEEP_PATIENCE_NAPS)
    try {
      const order = this.#nextOrder()
      const known = this.#known()
      const ids = wanted.map((identity) => this.#renew(known.get(nameOf(identity)), order))
      const missing = new Set(
        wanted.filter((_, index) => ids[index] === undefined).map((each) => nameOf(each)),
      ).size
      if (missing > this.#records - known.size) this.#reclaim(missing, { order, forget })
      return wanted.map((identity, index) => ids[index] ?? this.#allot(identity, { order, known }))
    } finally {
      giveLock(this.#words, header.registryLock)
    }
  }

  /** The form of the entries with this number. */
  form(id: number): EntryForm {
    const at = this.#at(id)
    return {
      kind: KINDS[(this.#words[at + record.kind] ?? 1) - 1] ?? 'rate',
      horizonTicks: this.#words[at + record.horizon] ?? 1,
      grainsPerMs: this.#doubles[(at + record.grains) / 2] ?? 1,
      ticksPerGrain: this.#doubles[(at + record.ticks) / 2] ?? 1,
    }
  }

  /** Adds one; the counters are 64 bits in two words. */
  count(id: number, which: Counter): void {
    const at = this.#first + (id - 1) * LINE + which
    if (Atomics.add(this.#words, at, 1) === -1) Atomics.add(this.#words, at + 1, 1)
  }

  /** Adds one to the number of entries that had to make room while in use. */
  countDisplaced(): void {
    if (Atomics.add(this.#words, header.displacedLow, 1) === -1) {
      Atomics.add(this.#words, header.displacedHigh, 1)
    }
  }

  /** Entries that had to make room while in use. */
  displaced(): number {
    return this.#wide(header.displacedLow)
  }

  /** Reads the counters of a limit. */
  counts(id: number): Counts {
    const at = this.#at(id)
    return {
      admitted: this.#wide(at + counter.admitted),
      refused: this.#wide(at + counter.refused),
      wouldRefuse: this.#wide(at + counter.wouldRefuse),
    }
  }

  #at(id: number): number {
    return this.#first + (id - 1) * LINE
  }

  #wide(at: number): number {
    return (Atomics.load(this.#words, at) >>> 0) + (Atomics.load(this.#words, at + 1) >>> 0) * 2 ** 32
  }

  #nextOrder(): number {
    return Atomics.add(this.#words, header.order, 1) + 1
  }

  #known(): Map<string, number> {
    const known = new Map<string, number>()
    for (let id = 1; id <= this.#records; id++) {
      const at = this.#at(id)
      const [low, high] = [this.#words[at + record.low] ?? 0, this.#words[at + record.high] ?? 0]
      if (low !== 0 || high !== 0) known.set(nameOf({ low, high }), id)
    }
    return known
  }

  #renew(id: number | undefined, order: number): number | undefined {
    if (id !== undefined) this.#words[this.#at(id) + record.order] = order
    return id
  }

  #allot(identity: Identity, context: { order: number; known: Map<string, number> }): number {
    const { order, known } = context
    const before = known.get(nameOf(identity))
    if (before !== undefined) return before
    const id = this.#free()
    const at = this.#at(id)
    this.#words.fill(0, at, at + LINE)
    this.#words[at + record.kind] = KINDS.indexOf(identity.form.kind) + 1
    this.#words[at + record.order] = order
    this.#words[at + record.horizon] = identity.form.horizonTicks
    this.#doubles[(at + record.grains) / 2] = identity.form.grainsPerMs
    this.#doubles[(at + record.ticks) / 2] = identity.form.ticksPerGrain
    this.#words[at + record.low] = identity.low
    this.#words[at + record.high] = identity.high
    known.set(nameOf(identity), id)
    return id
  }

  #free(): number {
    for (let id = 1; id <= this.#records; id++) {
      const at = this.#at(id)
      if (this.#words[at + record.low] === 0 && this.#words[at + record.high] === 0) return id
    }
    throw tooMany(this.#records + 1, this.#records)
  }

  /** Frees more than is needed, since `forget` has to go through the whole table. */
  #reclaim(missing: number, context: { order: number; forget: (ids: ReadonlySet<number>) => void }): void {
    const age = (id: number): number =>
      (context.order - (this.#words[this.#at(id) + record.order] ?? 0)) >>> 0
    const old = Array.from({ length: this.#records }, (_, index) => index + 1)
      .filter((id) => age(id) > 0)
      .sort((a, b) => age(b) - age(a))
      .slice(0, Math.max(missing, Math.floor(this.#records / RECLAIMED_SHARE)))
    Atomics.add(this.#words, header.reuses, 1)
    for (const id of old) this.#words.fill(0, this.#at(id), this.#at(id) + LINE)
    context.forget(new Set(old))
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
