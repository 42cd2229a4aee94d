import type { Clock } from '../kernel/std/index.ts'
import type { Ask } from './book.ts'
import type { Engine, Taken } from './engine.ts'
import type { Verdict } from './port.ts'

/** A reservation in this process. */
interface Hold {
  readonly ask: Ask
  /** What was answered, so that the same id is answered the same. */
  readonly verdict: Verdict
  taken: Taken
  renewedAtMs: number
  readonly endsAtMs: number
}

const mostHolds = 100_000
const sweepMs = 1000
/** The engine's own leases live for 60 s at least; they are prolonged well before. */
const renewMs = 20_000

/** Reservations that this process has made in its own table; each ends by commit, cancel or the end of its lease. */
export class Holds {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #holds = new Map<string, Hold>()
  #stop: (() => void) | undefined

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
  }

  /** Whether there is room for one more. */
  hasRoom(): boolean {
    return this.#holds.size < mostHolds
  }

  /** What was answered to an id that is still open. */
  answered(id: string): Verdict | undefined {
    return this.#holds.get(id)?.verdict
  }

  /** Keeps what was taken under an id until `endsAtMs` (since 1970). */
  add(id: string, hold: Pick<Hold, 'ask' | 'verdict' | 'taken' | 'endsAtMs'>): void {
    this.#holds.set(id, { ...hold, renewedAtMs: hold.taken.atMs })
    this.#stop ??= this.#clock.every(sweepMs, () => this.#sweep())
  }

  /** It was used, `cost` units of it; more than was reserved is taken as far as the limit gives it. */
  commit(id: string, cost?: number): void {
    const hold = this.#end(id)
    if (hold === undefined) return
    this.#engine.release(hold.taken)
    const { ask } = hold
    const surplus = (cost ?? ask.cost) - ask.cost
    if (surplus > 0) this.#engine.decide([{ ...ask, cost: surplus }])
    else if (surplus < 0) this.#engine.refund({ ...ask, cost: -surplus }, hold.taken.atMs)
  }

  /** It was not used. */
  cancel(id: string): void {
    const hold = this.#end(id)
    if (hold !== undefined) this.#engine.cancel(hold.taken)
  }

  /** Stops looking after them. */
  close(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #end(id: string): Hold | undefined {
    const hold = this.#holds.get(id)
    this.#holds.delete(id)
    if (this.#holds.size === 0) this.close()
    return hold
  }

  #sweep(): void {
    const nowMs = this.#clock.now()
    for (const [id, hold] of this.#holds) {
      if (nowMs >= hold.endsAtMs) this.cancel(id)
      else if (nowMs - hold.renewedAtMs >= renewMs) {
        hold.taken = this.#engine.prolong(hold.taken) ?? hold.taken
        hold.renewedAtMs = nowMs
      }
    }
  }
}
