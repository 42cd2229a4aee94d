import type { Clock } from '../../kernel/std/index.ts'
import type { Log, Verdict } from '../port.ts'
import { readVerdicts } from './answers.ts'
import type { Post } from './post.ts'
import type { Reach } from './reach.ts'

/** A take as `limits.take` has it. */
export interface WireTake {
  readonly limit: string
  readonly by: Readonly<Record<string, string>>
  readonly cost: number
  readonly id: string
}

/** What takes go through. */
export interface BatchParts {
  readonly post: Post
  readonly reach: Reach
  readonly clock: Clock
  readonly log: Log
  /** How long takes are gathered. */
  readonly gatherMs: number
}

/** A take that waits for its verdict. */
interface Pending {
  readonly take: WireTake
  readonly resolve: (verdict: Verdict | null) => void
}

const mostTakesInCall = 100
const mostPending = 10_000
const unknownForMs = 30_000
const mostUnknown = 1000

/** Gathers takes for a few milliseconds and sends up to 100 of them in one call. */
export class Batch {
  readonly #parts: BatchParts
  /** Limits that control does not know, until when that is believed. */
  readonly #unknown = new Map<string, number>()
  #pending: Pending[] = []
  #inFlight = 0
  #isGathering = false

  constructor(parts: BatchParts) {
    this.#parts = parts
  }

  /** Control's verdict; null when it cannot be had: control is away, does not know the limit, or too many wait. */
  take(take: WireTake): Promise<Verdict | null> {
    const isFull = this.#pending.length + this.#inFlight >= mostPending
    if (isFull || this.#isUnknown(take.limit)) return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#pending.push({ take, resolve })
      if (this.#pending.length >= mostTakesInCall) this.#flush()
      else this.#gather()
    })
  }

  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const { clock, gatherMs } = this.#parts
    const after = gatherMs === 0 ? Promise.resolve() : clock.sleep(gatherMs)
    void after.then(() => {
      this.#isGathering = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#pending.length > 0) void this.#send(this.#pending.splice(0, mostTakesInCall))
  }

  async #send(batch: readonly Pending[]): Promise<void> {
    const { post, reach } = this.#parts
    if (!reach.mayCall()) return settle(batch, null)
    this.#inFlight += batch.length
    const answer = await post.call('limits.take', { takes: batch.map(({ take }) => take) })
    this.#inFlight -= batch.length
    if (answer.kind === 'away') reach.failed(answer.because, answer.retryAfterMs)
    else if (answer.kind === 'denied') return this.#denied(batch, answer)
    else {
      const verdicts = readVerdicts(answer.body, batch.length)
      if (verdicts === null) reach.failed('its answer cannot be read')
      else {
        reach.answered()
        return settle(batch, verdicts)
      }
    }
    settle(batch, null)
  }

  /** One take that control cannot read spoils the call for all, so each is asked for by itself, once. */
  #denied(batch: readonly Pending[], { status, code, detail }: Denial): void {
    const { reach } = this.#parts
    if (status === 401 || status === 403) {
      reach.failed(detail)
      return settle(batch, null)
    }
    reach.answered()
    const [only] = batch
    if (batch.length > 1 || only === undefined) {
      for (const each of batch) void this.#send([each])
      return
    }
    this.#remember(only.take.limit, `${detail}${code === '' ? '' : ` (${code})`}`)
    settle(batch, null)
  }

  #isUnknown(limit: string): boolean {
    const untilMs = this.#unknown.get(limit)
    if (untilMs === undefined) return false
    if (this.#parts.clock.monotonicMs() < untilMs) return true
    this.#unknown.delete(limit)
    return false
  }

  #remember(limit: string, because: string): void {
    if (this.#unknown.size >= mostUnknown) return
    this.#unknown.set(limit, this.#parts.clock.monotonicMs() + unknownForMs)
    this.#parts.log.warn(`limits: control does not decide about ${limit} (${because}); this process does`)
  }
}

interface Denial {
  readonly status: number
  readonly code: string
  readonly detail: string
}

function settle(batch: readonly Pending[], verdicts: readonly Verdict[] | null): void {
  batch.forEach(({ resolve }, index) => resolve(verdicts?.[index] ?? null))
}
