import type { Countable } from '../../pipeline/index.ts'
import type { Bounds, Prepared, PreparedLimit, SharedLimits } from '../limits/index.ts'
import type { SharedTake, SharedVerdict } from '../shared-counters/index.ts'
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
  /** Null: edges share none of them. */
  readonly shared: SharedLimits | null
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
  /** Resolves when it is known whether the rest may go on: then pass it again. Null: it is known. */
  readonly asked: Promise<unknown> | null
}

type Held = Omit<Passage, 'end'>

/** Held back by what edges share, or by this edge alone. */
interface HeldBy extends Held {
  readonly isShared: boolean
}

/**
 * Counts the messages that a client sends through a tunnel: a fragmented one once, control frames on their own. What
 * edges share is asked after this edge's own table has admitted.
 */
export class MessageGate {
  readonly #parts: GateParts
  readonly #frames = new FrameReader()
  #controlDueMs = 0
  /** The message that comes next has been admitted by the edge's own table. */
  #isOwnTaken = false
  /** What the store said of the message that comes next. */
  #answer: SharedVerdict | null = null
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
    return { end: index, waitMs: 0, rule: '', asked: null }
  }

  #charge(firstByte: number): Held | null {
    const start = frameStart(firstByte)
    if (start === 'continuation') return null
    const nowMs = this.#parts.limitTimeMs()
    return start === 'control' ? this.#chargeControl(nowMs) : this.#chargeMessage(nowMs)
  }

  #chargeControl(nowMs: number): Held | null {
    const dueMs = Math.max(this.#controlDueMs, nowMs) + controlEveryMs
    const waitMs = dueMs - controlBurst * controlEveryMs - nowMs
    if (waitMs > 0) return { waitMs, rule: '10/s burst 60 of control frames', asked: null }
    this.#controlDueMs = dueMs
    return null
  }

  #chargeMessage(nowMs: number): Held | null {
    const held = (this.#isOwnTaken ? null : this.#takeOwn(nowMs)) ?? this.#takeShared(nowMs)
    this.#isOwnTaken = held !== null && (this.#isOwnTaken || held.isShared)
    return held
  }

  #takeOwn(nowMs: number): HeldBy | null {
    const { prepared, limits, countable, watch } = this.#parts
    const takes = limits.map((limit) => ({ limit: limit.index, key: limit.keyOf(countable) }))
    const verdict = prepared.limiter.take(takes, nowMs)
    const { admitted, refusedBy, retryAfterMs } = verdict
    if (admitted || !this.#isHeld) watch.decidedAll(limits, { takes, verdict }, { countable, nowMs })
    this.#isHeld = !admitted
    if (admitted) return null
    const rule = limits.find(({ index }) => index === refusedBy)?.rule ?? ''
    return { waitMs: retryAfterMs, rule, asked: null, isShared: false }
  }

  #takeShared(nowMs: number): HeldBy | null {
    const { shared, limits } = this.#parts
    if (shared === null) return null
    const verdict = this.#answer ?? shared.counters.take(this.#sharedTakes(shared), nowMs)
    this.#answer = null
    if (verdict instanceof Promise) {
      const asked = verdict.then((answer) => (this.#answer = answer))
      return { waitMs: 0, rule: '', asked, isShared: true }
    }
    if (verdict.admitted) return null
    // It waits and asks again, and the edge's own table has counted it once.
    shared.counters.forgive(verdict.refusedBy)
    const rule = limits.find(({ index }) => shared.places.get(index) === verdict.refusedBy)?.rule ?? ''
    return { waitMs: verdict.retryAfterMs, rule, asked: null, isShared: true }
  }

  #sharedTakes({ places }: SharedLimits): readonly SharedTake[] {
    const { limits, countable } = this.#parts
    return limits.flatMap(({ index, textOf }) => {
      const limit = places.get(index)
      return limit === undefined ? [] : [{ limit, key: textOf(countable) }]
    })
  }
}
