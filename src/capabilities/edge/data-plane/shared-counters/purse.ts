/** Units of a rate that were taken from the store at once and are to be spent until a time. */
interface Lot {
  units: number
  readonly untilMs: number
}

/** Never more lots than this: one that is being spent and one that was fetched in time. */
const mostLots = 2
/** It is time to fetch when so much of the demand is left. */
const lowShare = 0.25

/**
 * What a thread holds of one key's rate, and how fast it is spent. It asks for as much as it has spent in the last quarter
 * of a lease's time, so that what it holds is surely spent before the time is over, and a key that comes seldom leases
 * nothing: it is counted exactly. All times are monotonic milliseconds.
 */
export class Purse {
  readonly #most: number
  readonly #quarterMs: number
  #lots: Lot[] = []
  #sinceMs: number
  #spent = 0
  #spentBefore = 0
  /** Whether the store is being asked for more; until it answers nobody else asks, so that `most` holds. */
  isFetching = false

  /** `most` is the most units that it may hold; `sliceMs` for how long. */
  constructor(most: number, sliceMs: number, nowMs: number) {
    this.#most = most
    this.#quarterMs = sliceMs / 4
    this.#sinceMs = nowMs
  }

  /** Units that it holds. */
  holds(nowMs: number): number {
    let held = 0
    for (let lot = this.#lots[0]; lot !== undefined; lot = this.#lots[0]) {
      if (lot.units > 0 && lot.untilMs > nowMs) break
      this.#lots.shift()
    }
    for (const lot of this.#lots) if (lot.untilMs > nowMs) held += lot.units
    return held
  }

  /** Takes units out, the oldest first. It must hold them: ask `holds` at the same time before. */
  spend(units: number): void {
    let rest = units
    for (const lot of this.#lots) {
      const part = Math.min(rest, lot.units)
      lot.units -= part
      rest -= part
    }
  }

  /** Notes a demand, served or not. */
  demand(units: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs >= this.#quarterMs) {
      this.#spentBefore = (this.#spent * this.#quarterMs) / elapsedMs
      this.#spent = 0
      this.#sinceMs = nowMs
    }
    this.#spent += units
  }

  /** Units worth fetching on top of the `cost` that is taken at once; 0 while it is being done. */
  wish(cost: number, nowMs: number): number {
    if (this.isFetching) return 0
    const demand = Math.floor(Math.max(this.#spent - cost, this.#spentBefore))
    return Math.max(0, Math.min(demand, this.#most - this.holds(nowMs)))
  }

  /** Whether so little is left that more is worth fetching before anybody has to wait. */
  isLow(nowMs: number): boolean {
    if (this.isFetching || this.#lots.length >= mostLots) return false
    return this.holds(nowMs) < lowShare * Math.min(this.#most, Math.max(this.#spent, this.#spentBefore))
  }

  /** Puts units in that may be spent until a time. */
  fill(units: number, untilMs: number): void {
    if (units > 0) this.#lots.push({ units, untilMs })
  }
}
