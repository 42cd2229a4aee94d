import type { Salt, Table } from './table.ts'

/** Whose an entry is: a limit's number and salt. */
export interface Owner extends Salt {
  readonly id: number
}

/**
 * One look at several accounts at once: takes the locks of all their buckets in ascending order (so that nobody
 * waits in a circle), logs every change and can undo them. Reused for every request; nothing is allocated.
 */
export class Session {
  readonly #table: Table
  readonly #primary: Int32Array
  readonly #secondary: Int32Array
  readonly #tags: Int32Array
  readonly #ids: Int32Array
  readonly #places: Int32Array
  readonly #locks: Int32Array
  readonly #log: Int32Array
  #cells = 0
  #locked = 0
  #logged = 0
  #wide = false
  #nowMs = 0
  /** Whether `place` has just given the cell a place. */
  fresh = false
  /** The number of the limit whose place it was, or 0, ... */
  displaced = 0
  /** ... and how much of its allowance that entry had in use, 0 to 1. */
  displacedShare = 0

  /** `mostCells` bounds how many accounts one session can look at. */
  constructor(table: Table, mostCells: number) {
    this.#table = table
    this.#primary = new Int32Array(mostCells)
    this.#secondary = new Int32Array(mostCells)
    this.#tags = new Int32Array(mostCells)
    this.#ids = new Int32Array(mostCells)
    this.#places = new Int32Array(mostCells)
    this.#locks = new Int32Array(2 * mostCells)
    this.#log = new Int32Array(4 * 2 * mostCells)
  }

  /** Begins anew. */
  begin(nowMs: number): void {
    this.#cells = 0
    this.#locked = 0
    this.#logged = 0
    this.#nowMs = nowMs
  }

  /** Adds the account of a key's two lanes; returns its cell number. */
  add(low: number, high: number, owner: Owner): number {
    const cell = this.#cells++
    this.#table.locate(low, high, owner)
    this.#table.locateSecondary()
    this.#primary[cell] = this.#table.primary
    this.#secondary[cell] = this.#table.secondary
    this.#tags[cell] = this.#table.tag
    this.#ids[cell] = owner.id
    return cell
  }

  /** Locks the first buckets of all cells or, if `wide`, both. False (nothing locked) when a cell is elsewhere. */
  lock(wide: boolean): boolean {
    this.#wide = wide
    for (let cell = 0; cell < this.#cells; cell++) {
      this.#want(this.#primary[cell] ?? 0)
      if (wide) this.#want(this.#secondary[cell] ?? 0)
    }
    for (let index = 0; index < this.#locked; index++) this.#table.lock(this.#locks[index] ?? 0, this.#nowMs)
    if (wide || this.#findAll()) return true
    this.unlock()
    return false
  }

  /** Gives all locks back. */
  unlock(): void {
    for (let index = this.#locked - 1; index >= 0; index--) this.#table.unlock(this.#locks[index] ?? 0)
    this.#locked = 0
  }

  /** The place of a cell's entry, or -1 if it has none. */
  find(cell: number): number {
    if (!this.#wide) return this.#places[cell] ?? -1
    const tag = this.#tags[cell] ?? 0
    const id = this.#ids[cell] ?? 0
    const here = this.#table.find(this.#primary[cell] ?? 0, tag, id)
    return here >= 0 ? here : this.#table.find(this.#secondary[cell] ?? 0, tag, id)
  }

  /** The place of a cell's entry; if it has none it gets one, and `fresh` and `displaced` tell. */
  place(cell: number): number {
    this.displaced = 0
    const found = this.find(cell)
    this.fresh = found < 0
    return this.fresh ? this.#claim(cell) : found
  }

  /** Sets the value in a place so that it can be undone. */
  write(place: number, value: number): void {
    this.#remember(place)
    this.#table.setValue(place, value)
  }

  /** How far the log goes; `undo(mark)` undoes what came later. */
  mark(): number {
    return this.#logged
  }

  /** Undoes all changes since the mark. */
  undo(mark: number): void {
    while (this.#logged > mark) {
      this.#logged -= 4
      const place = this.#log[this.#logged] ?? 0
      this.#table.assign(place, this.#log[this.#logged + 1] ?? 0, this.#log[this.#logged + 2] ?? 0)
      this.#table.setValue(place, this.#log[this.#logged + 3] ?? 0)
    }
  }

  #claim(cell: number): number {
    const table = this.#table
    const place = table.vacancy(this.#primary[cell] ?? 0, this.#secondary[cell] ?? 0, this.#nowMs)
    this.displaced = table.idAt(place)
    this.displacedShare = table.share(place, this.#nowMs)
    this.#remember(place)
    table.assign(place, this.#tags[cell] ?? 0, this.#ids[cell] ?? 0)
    return place
  }

  #remember(place: number): void {
    this.#log[this.#logged] = place
    this.#log[this.#logged + 1] = this.#table.tagAt(place)
    this.#log[this.#logged + 2] = this.#table.idAt(place)
    this.#log[this.#logged + 3] = this.#table.value(place)
    this.#logged += 4
  }

  #findAll(): boolean {
    for (let cell = 0; cell < this.#cells; cell++) {
      const place = this.#table.find(this.#primary[cell] ?? 0, this.#tags[cell] ?? 0, this.#ids[cell] ?? 0)
      if (place < 0) return false
      this.#places[cell] = place
    }
    return true
  }

  /** Inserts a bucket into the sorted list of locks, once. */
  #want(bucket: number): void {
    const locks = this.#locks
    let index = this.#locked
    while (index > 0 && (locks[index - 1] ?? 0) > bucket) index--
    if (index > 0 && locks[index - 1] === bucket) return
    locks.copyWithin(index + 1, index, this.#locked)
    locks[index] = bucket
    this.#locked++
  }
}
