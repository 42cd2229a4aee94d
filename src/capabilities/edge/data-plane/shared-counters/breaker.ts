import { plainError, type Clock, type Random } from '../../../../kernel/std/index.ts'

/** What a breaker works with. */
export interface BreakerParts {
  readonly clock: Clock
  readonly random: Random
  /** Asks whether the store is well again; rejects in bounded time when it is not. */
  readonly probe: () => Promise<void>
  /** Called at each change, with the reason when it is lost and an empty text when it is back. */
  readonly onChange: (isUp: boolean, why: string) => void
}

/** So many failures in a row open it: one slow answer is no outage. */
const failuresToOpen = 3
const firstProbeMs = 100
const longestProbeMs = 5000

/**
 * A circuit breaker (Nygard, Release It!, 2007): while it is open nobody asks the store but a probe of its own, after
 * times that double and are drawn by lot, so that edges do not all come back at once. No request is the probe: none waits.
 */
export class Breaker {
  readonly #parts: BreakerParts
  readonly #end = new AbortController()
  #failures = 0
  #isOpen = false

  constructor(parts: BreakerParts) {
    this.#parts = parts
  }

  /** Whether the store must not be asked. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The store answered. */
  succeeded(): void {
    this.#failures = 0
  }

  /** The store did not answer. */
  failed(error: unknown): void {
    if (this.#isOpen || this.#end.signal.aborted || ++this.#failures < failuresToOpen) return
    this.#isOpen = true
    this.#parts.onChange(false, plainError(error).message)
    void this.#probeUntilWell()
  }

  /** Ends probing. */
  close(): void {
    this.#end.abort()
  }

  async #probeUntilWell(): Promise<void> {
    const { clock, random, probe, onChange } = this.#parts
    const { signal } = this.#end
    for (let attempt = 0; !signal.aborted; attempt++) {
      const mostMs = Math.min(longestProbeMs, firstProbeMs * 2 ** Math.min(attempt, 10))
      const isWell = await clock
        .sleep(mostMs * (0.5 + random.next() / 2), signal)
        .then(probe)
        .then(
          () => true,
          () => false,
        )
      if (!isWell || signal.aborted) continue
      this.#failures = 0
      this.#isOpen = false
      onChange(true, '')
      return
    }
  }
}
