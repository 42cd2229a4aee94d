import type { KeyHash, LimitRule } from '../../../../kernel/limit/index.ts'
import type { Clock } from '../../../../kernel/std/index.ts'

type QueueBounds = NonNullable<LimitRule['queue']>

/** Somebody who wants to wait. */
export interface Waiter<T> {
  readonly key: KeyHash
  /** After so long it may be admitted, if nobody else comes. */
  readonly waitMs: number
  /**
   * Asks again. A number: not yet, so many milliseconds more; anything else ends the waiting. `isLast`: there is no
   * time left, so the answer is to be final. While a promise is waited for, those behind are not asked.
   */
  readonly attempt: (isLast: boolean) => number | T | Promise<number | T>
  /** Calls back when whoever waits has gone; answers with what takes that back. */
  readonly onGone: (leave: () => void) => () => void
}

interface Place {
  readonly waiter: Waiter<unknown>
  readonly deadlineMs: number
  /** On the monotonic clock: no use in asking before. */
  readyMs: number
  /** It asks at this moment. */
  isAsking: boolean
  readonly done: (answer: unknown) => void
}

/** Timers below this are not worth setting. */
const shortestMs = 1

/**
 * Holds those back whom a limit does not admit at once: a bounded number of them, each for a bounded time. Who comes
 * first goes first among those that share an account; others do not wait for them. There is one timer for all.
 */
export class LimitQueue {
  readonly #bounds: QueueBounds
  readonly #clock: Clock
  readonly #places = new Set<Place>()
  /** How many wait with each key. */
  readonly #keys = new Map<KeyHash, number>()
  #timer: AbortController | null = null
  #wakeMs = Number.POSITIVE_INFINITY

  constructor(bounds: QueueBounds, clock: Clock) {
    this.#bounds = bounds
    this.#clock = clock
  }

  /** Whether somebody with this key waits, so that who comes now has to stand behind. */
  holds(key: KeyHash): boolean {
    return this.#keys.has(key)
  }

  /**
   * Takes somebody in; the promise resolves with what `attempt` answered in the end, or null when whoever waited has
   * gone. Null at once: every place is taken, or it would take too long.
   */
  join<T>(waiter: Waiter<T>): Promise<T | null> | null {
    const { places, patienceMs } = this.#bounds
    if (this.#places.size >= places || waiter.waitMs > patienceMs) return null
    const nowMs = this.#clock.monotonicMs()
    return new Promise<T | null>((resolve) => {
      const place: Place = {
        waiter,
        deadlineMs: nowMs + patienceMs,
        readyMs: nowMs + waiter.waitMs,
        isAsking: false,
        done: (answer) => {
          this.#remove(place)
          stopListening()
          resolve(answer as T | null)
        },
      }
      const stopListening = waiter.onGone(() => place.done(null))
      const ahead = this.#keys.get(waiter.key) ?? 0
      this.#places.add(place)
      this.#keys.set(waiter.key, ahead + 1)
      if (ahead === 0) this.#wakeAt(Math.min(place.readyMs, place.deadlineMs))
    })
  }

  #remove(place: Place): void {
    if (!this.#places.delete(place)) return
    const { key } = place.waiter
    const left = (this.#keys.get(key) ?? 1) - 1
    if (left === 0) this.#keys.delete(key)
    else this.#keys.set(key, left)
  }

  #run(): void {
    const nowMs = this.#clock.monotonicMs()
    const held = new Set<KeyHash>()
    let nextMs = Number.POSITIVE_INFINITY
    for (const place of this.#places) {
      const { key } = place.waiter
      if (held.has(key)) continue
      this.#ask(place, nowMs)
      if (!this.#places.has(place)) continue
      held.add(key)
      if (!place.isAsking) nextMs = Math.min(nextMs, place.readyMs, place.deadlineMs)
    }
    this.#wakeAt(nextMs)
  }

  #ask(place: Place, nowMs: number): void {
    const isLast = nowMs >= place.deadlineMs
    if (place.isAsking || (nowMs < place.readyMs && !isLast)) return
    const answer = place.waiter.attempt(isLast)
    if (!(answer instanceof Promise)) return this.#hear(place, answer, nowMs)
    place.isAsking = true
    void answer.then((known) => {
      place.isAsking = false
      this.#hear(place, known, this.#clock.monotonicMs())
      this.#run()
    })
  }

  #hear(place: Place, answer: unknown, nowMs: number): void {
    if (typeof answer === 'number') place.readyMs = nowMs + Math.max(shortestMs, answer)
    else place.done(answer)
  }

  /** Sets the timer, unless it goes off earlier anyway. */
  #wakeAt(timeMs: number): void {
    if (timeMs >= this.#wakeMs) return
    this.#timer?.abort()
    const timer = new AbortController()
    this.#timer = timer
    this.#wakeMs = timeMs
    const delayMs = Math.max(shortestMs, Math.ceil(timeMs - this.#clock.monotonicMs()))
    this.#clock.sleep(delayMs, timer.signal).then(
      () => {
        this.#wakeMs = Number.POSITIVE_INFINITY
        this.#run()
      },
      () => undefined,
    )
  }
}
