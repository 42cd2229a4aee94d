import { LOCKED, type Salt, type Table } from './table.ts'

/** Whose an entry is: a limit's number and salt. */
export interface Owner extends Salt {
  readonly id: number
}

/** A place in the log: what was changed, and what stood there. */
const ENTRY = 4

/**
 * One look at several accounts at once. Their values are locked, worked on in `values` and given back together, so
 * that every other thread sees all of it or nothing; until then every change can be undone. Reused for each request.
 *
 * Nobody waits in a circle: whoever locks narrowly (accounts found where they are expected) gives everything back
 * as soon as one value is taken; whoever locks widely holds the buckets, in ascending order, before any value.
 */
export class Session {
  declare private readonly table: Table
  declare private readonly primary: Int32Array
  declare private readonly secondary: Int32Array
  declare private readonly tags: Int32Array
  declare private readonly ids: Int32Array
  declare private readonly buckets: Int32Array
  /** Where a cell's account was found, and, once locked, its index in `places` and `values`; else -1. */
  declare private readonly cellPlaces: Int32Array
  declare private readonly cellHeld: Int32Array
  declare private readonly places: Int32Array
  declare private readonly values: Int32Array
  declare private readonly log: Int32Array
  private cells = 0
  private locked = 0
  private held = 0
  private logged = 0
  private nowMs = 0
  /** Whether `hold` has just given the cell a place. */
  fresh = false
  /** How many accounts in use have made room. */
  displaced = 0
  /** How much of its allowance the entry had in use that made room, 0 to 1; 0 when the place was free. */
  displacedShare = 0

  /** `mostCells` bounds how many accounts one session can look at. */
  constructor(table: Table, mostCells: number) {
    this.table = table
    this.primary = new Int32Array(mostCells)
    this.secondary = new Int32Array(mostCells)
    this.tags = new Int32Array(mostCells)
    this.ids = new Int32Array(mostCells)
    this.buckets = new Int32Array(2 * mostCells)
    this.cellPlaces = new Int32Array(mostCells)
    this.cellHeld = new Int32Array(mostCells)
    this.places = new Int32Array(mostCells)
    this.values = new Int32Array(mostCells)
    this.log = new Int32Array(2 * mostCells * ENTRY)
  }

  /** Begins anew. */
  begin(nowMs: number): void {
    this.cells = 0
    this.locked = 0
    this.held = 0
    this.logged = 0
    this.displaced = 0
    this.nowMs = nowMs
  }

  /** Adds the account of a key's two lanes; returns its cell number. */
  add(low: number, high: number, owner: Owner): number {
    const cell = this.cells++
    this.table.locate(low, high, owner)
    this.primary[cell] = this.table.primary
    this.secondary[cell] = this.table.secondary
    this.tags[cell] = this.table.tag
    this.ids[cell] = owner.id
    this.cellHeld[cell] = -1
    return cell
  }

  /** Locks the accounts where they are expected; false (nothing locked) when one is not there or not free. */
  lockNarrowly(): boolean {
    // All is looked up before anything is locked, since tidying a bucket may have to wait.
    for (let cell = 0; cell < this.cells; cell++) if (!this.lookUp(cell)) return false
    for (let cell = 0; cell < this.cells; cell++) {
      if (this.lockCell(cell)) continue
      this.end()
      return false
    }
    return true
  }

  /** Locks all buckets in which the accounts may be; their values as they are looked at. */
  lockWidely(): void {
    for (let cell = 0; cell < this.cells; cell++) {
      this.cellHeld[cell] = -1
      this.table.freshen(this.primary[cell] ?? 0, this.nowMs)
      this.table.freshen(this.secondary[cell] ?? 0, this.nowMs)
      this.want(this.primary[cell] ?? 0)
      this.want(this.secondary[cell] ?? 0)
    }
    for (let index = 0; index < this.locked; index++) this.table.lock(this.buckets[index] ?? 0)
  }

  /** Gives everything back as it now stands. */
  end(): void {
    for (let held = 0; held < this.held; held++) {
      this.table.giveValue(this.places[held] ?? 0, this.values[held] ?? 0)
    }
    for (let index = 0; index < this.locked; index++) this.table.unlock(this.buckets[index] ?? 0)
    this.held = 0
    this.locked = 0
    this.logged = 0
  }

  /** Locks the value of a cell's account; -1 if it has none. The result is for `value` and `write`. */
  find(cell: number): number {
    const held = this.cellHeld[cell] ?? -1
    if (held >= 0) return held
    const place = this.placeOf(cell)
    return place < 0 ? -1 : this.holdPlace(cell, place)
  }

  /** As `find`, but an account that has none gets a place; -1 only when all places are being worked on. */
  hold(cell: number): number {
    this.displacedShare = 0
    const held = this.find(cell)
    this.fresh = held < 0
    return this.fresh ? this.claim(cell) : held
  }

  /** The value of what is held. */
  value(held: number): number {
    return this.values[held] ?? 0
  }

  /** Changes the value of what is held. */
  write(held: number, value: number): void {
    this.remember(held)
    this.values[held] = value
  }

  /** How far the log goes; `undo(mark)` undoes what came later. */
  mark(): number {
    return this.logged
  }

  /** Undoes all changes since the mark. */
  undo(mark: number): void {
    while (this.logged > mark) {
      this.logged -= ENTRY
      const held = this.log[this.logged] ?? 0
      this.values[held] = this.log[this.logged + 1] ?? 0
      const tag = this.log[this.logged + 2] ?? 0
      this.table.assign(this.places[held] ?? 0, tag, this.log[this.logged + 3] ?? 0)
    }
  }

  private placeOf(cell: number): number {
    const tag = this.tags[cell] ?? 0
    const id = this.ids[cell] ?? 0
    const here = this.table.find(this.primary[cell] ?? 0, tag, id)
    return here >= 0 ? here : this.table.find(this.secondary[cell] ?? 0, tag, id)
  }

  private heldIndex(place: number): number {
    for (let held = 0; held < this.held; held++) if (this.places[held] === place) return held
    return -1
  }

  private holdPlace(cell: number, place: number): number {
    const before = this.heldIndex(place)
    const held = before >= 0 ? before : this.push(place, this.table.lockValue(place, this.nowMs))
    this.cellHeld[cell] = held
    return held
  }

  private push(place: number, value: number): number {
    const held = this.held++
    this.places[held] = place
    this.values[held] = value
    return held
  }

  private lookUp(cell: number): boolean {
    const primary = this.primary[cell] ?? 0
    const tag = this.tags[cell] ?? 0
    const id = this.ids[cell] ?? 0
    this.table.freshen(primary, this.nowMs)
    let place = this.table.find(primary, tag, id)
    if (place < 0) {
      const secondary = this.secondary[cell] ?? 0
      this.table.freshen(secondary, this.nowMs)
      place = this.table.find(secondary, tag, id)
    }
    this.cellPlaces[cell] = place
    return place >= 0
  }

  private lockCell(cell: number): boolean {
    const place = this.cellPlaces[cell] ?? 0
    let held = this.heldIndex(place)
    if (held < 0) {
      const value = this.table.tryLockValue(place)
      if (value === LOCKED) return false
      held = this.push(place, value)
    }
    this.cellHeld[cell] = held
    // Until it was locked, the place could have been given to somebody else.
    return this.table.tagAt(place) === this.tags[cell] && this.table.idAt(place) === this.ids[cell]
  }

  private claim(cell: number): number {
    const table = this.table
    for (;;) {
      const place = table.vacancy(this.primary[cell] ?? 0, this.secondary[cell] ?? 0, this.nowMs)
      if (place < 0) return -1
      const value = table.tryLockValue(place)
      if (value === LOCKED) continue
      const held = this.push(place, value)
      this.cellHeld[cell] = held
      this.displacedShare = table.share(place, value, this.nowMs)
      if (this.displacedShare > 0) this.displaced++
      this.remember(held)
      table.assign(place, this.tags[cell] ?? 0, this.ids[cell] ?? 0)
      return held
    }
  }

  private remember(held: number): void {
    const place = this.places[held] ?? 0
    this.log[this.logged] = held
    this.log[this.logged + 1] = this.values[held] ?? 0
    this.log[this.logged + 2] = this.table.tagAt(place)
    this.log[this.logged + 3] = this.table.idAt(place)
    this.logged += ENTRY
  }

  /** Inserts a bucket into the sorted list of those to lock, once. */
  private want(bucket: number): void {
    const buckets = this.buckets
    let index = this.locked
    while (index > 0 && (buckets[index - 1] ?? 0) > bucket) index--
    if (index > 0 && buckets[index - 1] === bucket) return
    for (let later = this.locked; later > index; later--) buckets[later] = buckets[later - 1] ?? 0
    buckets[index] = bucket
    this.locked++
  }
}
