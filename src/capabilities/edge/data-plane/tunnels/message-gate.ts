import type { Countable } from '../../pipeline/index.ts'
import type { Bounds, Prepared, PreparedLimit } from '../limits/index.ts'
import { FrameReader, frameStart } from './frames.ts'

/** Control frames of one connection: at most so many at one instant, then one each tenth of a second. */
const controlBurst = 60
const controlEveryMs = 100

/** Whose messages are counted, and by what. */
export interface GateParts {
  /** The time that limits count by. */
  readonly limitTimeMs: () => number
  readonly prepared: Prepared
  readonly limits: readonly PreparedLimit[]
  readonly countable: Countable
  /** Of the route. */
  readonly watch: Bounds['watch']
}

/** How far a chunk may go on, and for how long the rest of it has to wait. */
export interface Passage {
  /** Bytes from `at` to here may go on; a frame begins there unless it is the end. */
  readonly end: number
  /** 0: all of it. */
  readonly waitMs: number
  /** The limit that holds the rest back, in the notation of limits; empty: none. */
  readonly rule: string
}

/** Counts the messages that a client sends through a tunnel: a fragmented one once, control frames on their own. */
export class MessageGate {
  readonly #parts: GateParts
  readonly #frames = new FrameReader()
  #controlDueMs = 0
  /** The message that comes next was held back before, and that was told. */
  #isHeld = false

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  /** Lets as much of a chunk through as the limits admit. */
  pass(chunk: Uint8Array, at: number): Passage {
    let index = at
    while (index < chunk.length) {
      if (this.#frames.isAtStart) {
        const held = this.#charge(chunk[index] ?? 0)
        if (held !== null) return { end: index, ...held }
      }
      index = this.#frames.read(chunk, index)
    }
    return { end: index, waitMs: 0, rule: '' }
  }

  #charge(firstByte: number): Omit<Passage, 'end'> | null {
    const start = frameStart(firstByte)
    if (start === 'continuation') return null
    const nowMs = this.#parts.limitTimeMs()
    return start === 'control' ? this.#chargeControl(nowMs) : this.#chargeMessage(nowMs)
  }

  #chargeControl(nowMs: number): Omit<Passage, 'end'> | null {
    const dueMs = Math.max(this.#controlDueMs, nowMs) + controlEveryMs
    const waitMs = dueMs - controlBurst * controlEveryMs - nowMs
    if (waitMs > 0) return { waitMs, rule: '10/s burst 60 of control frames' }
    this.#controlDueMs = dueMs
    return null
  }

  #chargeMessage(nowMs: number): Omit<Passage, 'end'> | null {
    const { prepared, limits, countable, watch } = this.#parts
    const takes = limits.map((limit) => ({ limit: limit.index, key: limit.keyOf(countable) }))
    const verdict = prepared.limiter.take(takes, nowMs)
    const { admitted, refusedBy, retryAfterMs } = verdict
    if (admitted || !this.#isHeld) watch.decidedAll(limits, { takes, verdict }, { countable, nowMs })
    this.#isHeld = !admitted
    if (admitted) return null
    return { waitMs: retryAfterMs, rule: limits.find(({ index }) => index === refusedBy)?.rule ?? '' }
  }
}
