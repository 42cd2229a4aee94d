import type { Clock } from '../../kernel/std/index.ts'
import type { Verdict } from '../port.ts'
import { readVerdicts } from './answers.ts'
import type { Denial, Post } from './post.ts'
import type { Reach } from './reach.ts'
import type { UnknownLimits } from './unknown.ts'
import type { WireAsk } from './wire.ts'

/** A take as `limits.take` has it. */
export interface WireTake extends WireAsk {
  readonly id: string
}

/** What takes go through. */
export interface BatchParts {
  readonly post: Post
  readonly reach: Reach
  readonly clock: Clock
  readonly unknown: UnknownLimits
  /** How long takes are gathered. */
  readonly gatherMs: number
}

/** What waits for its verdict: a take, or several from all of which or from none is taken. */
interface Pending {
  readonly takes: readonly WireTake[]
  readonly resolve: (verdict: Verdict | null) => void
}

const mostTakesInCall = 100
const mostPending = 10_000

/** Gathers takes for a few milliseconds and sends up to 100 of them in one call; takes that belong together go alone. */
export class Batch {
  readonly #parts: BatchParts
  #pending: Pending[] = []
  #inFlight = 0
  #isGathering = false

  constructor(parts: BatchParts) {
    this.#parts = parts
  }

  /** Control's verdict; null when it cannot be had: control is away, does not know a limit, or too many wait. */
  take(takes: readonly WireTake[]): Promise<Verdict | null> {
    const { unknown } = this.#parts
    const isFull = this.#pending.length + this.#inFlight >= mostPending
    const isUnknown = unknown.has(namesOf(takes)) || takes.some(({ limit }) => unknown.has(limit))
    if (isFull || isUnknown) return Promise.resolve(null)
    return new Promise((resolve) => {
      if (takes.length > 1) return void this.#send([{ takes, resolve }])
      this.#pending.push({ takes, resolve })
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
    const answer = await post.call('limits.take', inputOf(batch))
    this.#inFlight -= batch.length
    if (answer.kind === 'away') reach.failed(answer.because, answer.retryAfterMs)
    else if (answer.kind === 'denied') return this.#denied(batch, answer)
    else {
      const verdicts = readVerdicts(answer.body, batch.length, this.#parts.clock.now())
      if (verdicts === null) reach.failed('its answer cannot be read')
      else {
        reach.answered()
        return settle(batch, verdicts)
      }
    }
    settle(batch, null)
  }

  /** One take that control cannot read spoils the call for all, so each is asked for by itself, once. */
  #denied(batch: readonly Pending[], answer: Denial): void {
    const { reach, unknown } = this.#parts
    if (answer.status === 401 || answer.status === 403) {
      reach.failed(answer.detail)
      return settle(batch, null)
    }
    reach.answered()
    const [only] = batch
    if (batch.length > 1 || only === undefined) {
      for (const each of batch) void this.#send([each])
      return
    }
    unknown.add(namesOf(only.takes), answer)
    settle(batch, null)
  }
}

/** One verdict comes for each of the batch: for takes that belong together as well. */
function inputOf(batch: readonly Pending[]): object {
  const takes = batch.flatMap((pending) => pending.takes)
  return takes.length > batch.length ? { takes, together: true } : { takes }
}

function namesOf(takes: readonly WireTake[]): string {
  return takes.map(({ limit }) => limit).join(' and ')
}

function settle(batch: readonly Pending[], verdicts: readonly Verdict[] | null): void {
  batch.forEach(({ resolve }, index) => resolve(verdicts?.[index] ?? null))
}
