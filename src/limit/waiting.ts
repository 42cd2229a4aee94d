import type { Clock } from '../kernel/std/index.ts'

/** How many may wait, and for how long. */
export interface Room {
  readonly places: number
  readonly patienceMs: number
}

/** What the queue has to know of an answer. */
interface Answer {
  readonly admitted: boolean
  readonly retryAfterMs: number
}

interface Line {
  waiting: number
  /** Resolves when whoever came last is through. */
  last: Promise<void>
}

/** Queues of those whom a limit does not admit at once: one for each account, first come, first served. */
export class Waiting {
  readonly #clock: Clock
  readonly #lines = new Map<string, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Asks again until it is admitted or patience ends. Whoever comes while others wait goes behind them without asking;
   * a full queue, or a wait longer than patience, is the refusal that it is.
   */
  async take<T extends Answer>(key: string, room: Room, ask: () => T | Promise<T>): Promise<T> {
    const isFull = (this.#lines.get(key)?.waiting ?? 0) >= room.places
    return isFull ? await ask() : await this.#queue(key, room, ask)
  }

  async #queue<T extends Answer>(key: string, room: Room, ask: () => T | Promise<T>): Promise<T> {
    const deadlineMs = this.#clock.monotonicMs() + room.patienceMs
    const line = this.#lines.get(key) ?? { waiting: 0, last: Promise.resolve() }
    this.#lines.set(key, line)
    line.waiting++
    const before = line.last
    const turn = before.then(() => this.#attend(deadlineMs, ask))
    line.last = turn.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await turn
    } finally {
      if (--line.waiting === 0) this.#lines.delete(key)
    }
  }

  async #attend<T extends Answer>(deadlineMs: number, ask: () => T | Promise<T>): Promise<T> {
    for (;;) {
      const answer = await ask()
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (answer.admitted || answer.retryAfterMs > leftMs) return answer
      await this.#clock.sleep(answer.retryAfterMs)
    }
  }
}
