import type { Clock } from '../../kernel/std/index.ts'

interface Pending {
  readonly dueMs: number
  isSettled: boolean
  readonly expire: () => void
}

/** How much later than its time something may be given up: one timer looks after all that is under way. */
const lookEveryMs = 5
/** Settled ones before the head are let go in bulk. */
const compactAfter = 1024

/**
 * Gives up promises after a time that is the same for all of them, so that they fall due in the order in which they
 * began, and one timer is enough for any number; it runs only while something is under way.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #timeoutMs: number
  #queue: Pending[] = []
  #head = 0
  #stop: (() => void) | null = null

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** As the promise, but rejects with `late()` when it takes longer than the time-out. */
  bound<Value>(promise: Promise<Value>, late: () => Error): Promise<Value> {
    return new Promise((resolve, reject) => {
      const dueMs = this.#clock.monotonicMs() + this.#timeoutMs
      const pending: Pending = { dueMs, isSettled: false, expire: () => reject(late()) }
      this.#queue.push(pending)
      this.#stop ??= this.#clock.every(lookEveryMs, () => this.#look())
      promise.then(
        (value) => {
          pending.isSettled = true
          resolve(value)
        },
        (error: unknown) => {
          pending.isSettled = true
          reject(error)
        },
      )
    })
  }

  /** A reply that has come while this thread was busy counts as in time: the loop first gets to read it. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#skipSettled()
    if ((this.#queue[this.#head]?.dueMs ?? Number.POSITIVE_INFINITY) > nowMs) return
    setImmediate(() => this.#expire(nowMs))
  }

  #expire(nowMs: number): void {
    this.#skipSettled()
    for (let pending = this.#queue[this.#head]; pending !== undefined; pending = this.#queue[this.#head]) {
      if (pending.dueMs > nowMs) return
      this.#head++
      pending.expire()
      this.#skipSettled()
    }
  }

  #skipSettled(): void {
    while (this.#queue[this.#head]?.isSettled === true) this.#head++
    if (this.#head >= this.#queue.length) this.#rest()
    else if (this.#head > compactAfter) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }

  #rest(): void {
    this.#queue = []
    this.#head = 0
    this.#stop?.()
    this.#stop = null
  }
}
