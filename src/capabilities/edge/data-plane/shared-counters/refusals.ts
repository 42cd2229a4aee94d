/** Refusals that a thread remembers for each limit; beyond them the oldest are forgotten, and the store is asked again. */
const mostRefusals = 10_000
/** A flood costs the store one question a second for each key; a store that lost its counts is noticed as soon. */
const longestMs = 1000
const longestKey = 200

interface Refusal {
  readonly cost: number
  readonly remaining: number
  /** When the same take will be admitted. */
  readonly endsMs: number
  /** Until when it is believed without asking. */
  readonly untilMs: number
}

/**
 * The refusals of one limit: what was refused for a time is refused until then, for nobody gives back what rates, windows
 * and calendars gave. Not for concurrency. All times are monotonic milliseconds, from before the store was asked, so that
 * nobody is refused for longer than the store would have.
 */
export class Refusals {
  readonly #refusals = new Map<string, Refusal>()

  /** The refusal that still stands for this key and cost. */
  find(key: string, cost: number, nowMs: number): Refusal | undefined {
    if (this.#refusals.size === 0) return undefined
    const found = this.#refusals.get(key)
    if (found === undefined) return undefined
    if (found.untilMs > nowMs) return cost >= found.cost ? found : undefined
    this.#refusals.delete(key)
    return undefined
  }

  /** Remembers that the key was refused at `nowMs` for `waitMs`. */
  add(key: string, refused: Pick<Refusal, 'cost' | 'remaining'> & { waitMs: number }, nowMs: number): void {
    if (key.length > longestKey) return
    if (this.#refusals.size >= mostRefusals) this.#dropOldest()
    const { cost, remaining, waitMs } = refused
    const untilMs = nowMs + Math.min(longestMs, waitMs)
    this.#refusals.set(key, { cost, remaining, endsMs: nowMs + waitMs, untilMs })
  }

  #dropOldest(): void {
    for (const key of this.#refusals.keys()) {
      this.#refusals.delete(key)
      return
    }
  }
}
