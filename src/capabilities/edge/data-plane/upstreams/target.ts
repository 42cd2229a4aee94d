import { counted, type Counters, type TargetBoard } from '../shared/index.ts'
import type { Origin } from './origins.ts'

/** What is known of a target, and where it is counted. */
export interface TargetParts {
  readonly origin: Origin
  /** On the board. */
  readonly slot: number
  /** In the counters: that of its group. */
  readonly groupSlot: number
  readonly weight: number
  readonly board: TargetBoard
  readonly counters: Counters
}

/** One address of an upstream; it counts for itself and for its group. */
export class Target {
  readonly origin: Origin
  readonly slot: number
  readonly groupSlot: number
  readonly weight: number
  readonly #board: TargetBoard
  readonly #counters: Counters

  constructor({ origin, slot, groupSlot, weight, board, counters }: TargetParts) {
    this.origin = origin
    this.slot = slot
    this.groupSlot = groupSlot
    this.weight = weight
    this.#board = board
    this.#counters = counters
  }

  /** One of `health`. */
  get health(): number {
    return this.#board.healthOf(this.slot)
  }

  /** Requests under way, of all threads. */
  get inFlight(): number {
    return this.#board.inFlight(this.slot)
  }

  /** A request is sent there. */
  enter(): void {
    this.#board.enter(this.slot)
    this.#counters.add(this.groupSlot, counted.requests, 1)
  }

  /** It has ended. */
  leave(): void {
    this.#board.leave(this.slot)
  }

  /** The head of its answer came after so long. */
  answered(durationMs: number): void {
    this.#counters.addLatency(this.groupSlot, durationMs)
  }

  /** It failed, and the target was at fault. */
  failed(): void {
    this.#counters.add(this.groupSlot, counted.failures, 1)
  }

  /** It could not be reached: it gets no further request until it has been probed. */
  suspect(): void {
    this.#board.suspect(this.slot)
  }
}
