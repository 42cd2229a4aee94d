import { Purse } from './purse.ts'

/** Keys for which a thread holds units; beyond them those asked for longest ago make room, and what they held is lost. */
const mostPurses = 10_000
/** Longer keys are counted exactly, so that memory is bounded. */
const longestKey = 200

/** The purses of one limit's keys in one thread. */
export class Purses {
  readonly #most: number
  readonly #sliceMs: number
  readonly #purses = new Map<string, Purse>()

  /** `most` is the most units that each may hold; `sliceMs` for how long. */
  constructor(most: number, sliceMs: number) {
    this.#most = most
    this.#sliceMs = sliceMs
  }

  /** The purse of a key, if there is one. */
  find(key: string): Purse | undefined {
    return this.#purses.get(key)
  }

  /** The purse of a key that goes to the store, a new one perhaps; undefined for a key that gets none. */
  open(key: string, nowMs: number): Purse | undefined {
    if (key.length > longestKey) return undefined
    const found = this.#purses.get(key)
    if (found !== undefined) this.#purses.delete(key)
    else if (this.#purses.size >= mostPurses) this.#dropOldest()
    const purse = found ?? new Purse(this.#most, this.#sliceMs, nowMs)
    this.#purses.set(key, purse)
    return purse
  }

  #dropOldest(): void {
    for (const key of this.#purses.keys()) {
      this.#purses.delete(key)
      return
    }
  }
}
