import { Heap } from './heap.ts'
import type { LoggedRequest } from './requests.ts'

/** A request that took longer counts as if it had taken so long: what waits to be put in order has a bound. */
const longestMs = 600_000
const mostWaiting = 200_000

/** When a request began, ten minutes before its end at the earliest. */
export function startOf({ atMs, durationMs }: LoggedRequest): number {
  return atMs - Math.min(durationMs ?? 0, longestMs)
}

/** Logs have requests in the order in which they ended; this gives them in the order in which they began. */
export class ByStart {
  readonly #waiting = new Heap<LoggedRequest>()
  readonly #give: (request: LoggedRequest) => void
  #latestMs = 0

  constructor(give: (request: LoggedRequest) => void) {
    this.#give = give
  }

  take(request: LoggedRequest): void {
    this.#latestMs = Math.max(this.#latestMs, request.atMs)
    this.#waiting.push(startOf(request), request)
    this.#giveWhile(
      () => this.#waiting.nextMs <= this.#latestMs - longestMs || this.#waiting.size > mostWaiting,
    )
  }

  end(): void {
    this.#giveWhile(() => true)
  }

  #giveWhile(isReady: () => boolean): void {
    while (this.#waiting.size > 0 && isReady()) {
      const request = this.#waiting.pop()
      if (request !== undefined) this.#give(request)
    }
  }
}
