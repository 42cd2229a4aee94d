import type { Lease } from '../limits/index.ts'
import { Heap } from './heap.ts'

/** Leases end by themselves after a minute unless they are renewed; so often they are, as the edge does. */
const renewEveryMs = 20_000

interface Held {
  readonly lease: Lease
  readonly endMs: number
}

/** Places that requests of the past hold until they are over. */
export class HeldPlaces {
  readonly #held = new Heap<Held>()

  hold(lease: Lease, endMs: number): void {
    this.#held.push(Math.min(endMs, lease.takenAtMs + renewEveryMs), { lease, endMs })
  }

  /** Does everything that is due until then. */
  advance(nowMs: number): void {
    while (this.#held.nextMs <= nowMs) {
      const dueMs = this.#held.nextMs
      const held = this.#held.pop()
      if (held !== undefined) this.#settle(held, dueMs)
    }
  }

  #settle({ lease, endMs }: Held, dueMs: number): void {
    const { limiter, takes, takenAtMs } = lease
    if (endMs <= dueMs) return limiter.release(takes, takenAtMs, dueMs)
    limiter.renew(takes, takenAtMs, dueMs)
    lease.takenAtMs = dueMs
    this.hold(lease, endMs)
  }
}
