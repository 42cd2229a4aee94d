import type { Clock, Random } from '../../kernel/std/index.ts'
import type { Log } from '../port.ts'

const firstPauseMs = 250
const longestPauseMs = 30_000
const mostDoublings = 7

/**
 * Whether control can be reached. After a failure nobody asks it for a pause that doubles up to 30 s, half of it by
 * chance so that a thousand processes do not come back at once; then a single call tries, and the rest wait for it.
 */
export class Reach {
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  #failures = 0
  #awayUntilMs = 0
  #isTrying = false

  constructor({ clock, random, log }: { readonly clock: Clock; readonly random: Random; readonly log: Log }) {
    this.#clock = clock
    this.#random = random
    this.#log = log
  }

  /** Asks for leave to call; whoever gets it must report `answered` or `failed`. */
  mayCall(): boolean {
    if (this.#failures === 0) return true
    if (this.#isTrying || this.#clock.monotonicMs() < this.#awayUntilMs) return false
    this.#isTrying = true
    return true
  }

  /** Milliseconds until somebody tries again, at least 1. */
  pauseMs(): number {
    return Math.max(1, Math.ceil(this.#awayUntilMs - this.#clock.monotonicMs()))
  }

  /** Control answered, whatever it said. */
  answered(): void {
    if (this.#failures > 0) this.#log.warn('limits: control is reached again; it decides')
    this.#failures = 0
    this.#isTrying = false
  }

  /** Nobody answered. */
  failed(because: string, leastMs = 0): void {
    this.#isTrying = false
    if (this.#failures === 0)
      this.#log.warn(`limits: control cannot be reached (${because}); this process decides by itself`)
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(mostDoublings, this.#failures++))
    this.#awayUntilMs =
      this.#clock.monotonicMs() + Math.max(leastMs, pauseMs * (0.5 + this.#random.next() / 2))
  }
}
