import type { By, Refusal } from './port.ts'

/** The last refusals, a ring of fixed size. */
export class Refusals {
  readonly #ring: Refusal[] = []
  readonly #most: number
  #next = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Remembers one; the oldest makes room. */
  add(refusal: Refusal): void {
    if (this.#most === 0) return
    this.#ring[this.#next] = refusal
    this.#next = (this.#next + 1) % this.#most
  }

  /** Those of a subject (every value of `by` is in what was refused), the newest first. */
  of(by: By): readonly Refusal[] {
    const wanted = Object.entries(by)
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)]
      .toReversed()
      .filter((refusal) =>
        wanted.every(([dimension, value]) => String(refusal.by[dimension]) === String(value)),
      )
  }
}
