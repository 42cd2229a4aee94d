/** What one limit admitted and refused in a second. */
interface RollUp {
  admitted: number
  refused: number
}

/**
 * What shared counters refused after the edge's own table had admitted and counted it, by limit. It may come a second
 * after the table's counts were reported: then the next ones make up for it, and the sums are right.
 */
export class StoreRefusals {
  readonly #unsaid = new Map<string, number>()
  readonly #unbalanced = new Map<string, number>()

  /** Remembers refusals for the next report. */
  add(limit: string, refused: number): void {
    for (const map of [this.#unsaid, this.#unbalanced]) map.set(limit, (map.get(limit) ?? 0) + refused)
  }

  /** Moves what was refused from the one count to the other. */
  correct(limit: string, rollUp: RollUp): void {
    const unbalanced = this.#unbalanced.get(limit) ?? 0
    const balanced = Math.min(rollUp.admitted, unbalanced)
    rollUp.admitted -= balanced
    rollUp.refused += this.#unsaid.get(limit) ?? 0
    this.#unsaid.delete(limit)
    if (unbalanced > balanced) this.#unbalanced.set(limit, unbalanced - balanced)
    else this.#unbalanced.delete(limit)
  }

  /** Forgets all limits but these. */
  keep(limits: ReadonlySet<string>): void {
    for (const map of [this.#unsaid, this.#unbalanced]) {
      for (const limit of map.keys()) if (!limits.has(limit)) map.delete(limit)
    }
  }
}
