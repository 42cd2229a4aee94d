import { uuidv7, type Clock, type Random } from '../../kernel/std/index.ts'
import type { Ask } from '../book.ts'
import type { ControlAddress, Log, Verdict } from '../port.ts'
import { readReservation } from './answers.ts'
import { Batch } from './batch.ts'
import { Leases } from './leases.ts'
import { openPost, type Answer, type Denial, type Post } from './post.ts'
import { Reach } from './reach.ts'
import { UnknownLimits } from './unknown.ts'
import { wireAsk } from './wire.ts'

/** Ends of reservations that are said again at once. */
const mostRepeating = 1000

/** What the way to control is made of. */
export interface ControlParts {
  readonly address: ControlAddress
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Control, as the limits of this process see it. Whatever comes back null could not be had: decide without it. */
export class Control {
  readonly #parts: ControlParts
  readonly #post: Post
  readonly #reach: Reach
  readonly #batch: Batch
  readonly #leases: Leases | undefined
  readonly #unknown: UnknownLimits
  readonly #closing = new AbortController()
  #repeating = 0

  constructor(parts: ControlParts) {
    const { address, clock, random, log } = parts
    this.#parts = parts
    this.#post = openPost(address)
    this.#reach = new Reach({ clock, random, log })
    const [post, reach] = [this.#post, this.#reach]
    const unknown = new UnknownLimits({ clock, log })
    this.#unknown = unknown
    this.#batch = new Batch({ post, reach, clock, unknown, gatherMs: address.gatherMs ?? 2 })
    this.#leases = address.leases === false ? undefined : new Leases({ post, reach, clock, random })
  }

  /** Milliseconds until control is tried again. */
  pauseMs(): number {
    return this.#reach.pauseMs()
  }

  /** A verdict that needs no call: units are leased, or control has just refused. */
  decideHere(ask: Ask): Verdict | undefined {
    return this.#leases?.decide(ask)
  }

  /** As `decideHere`, of takes that belong together: units that are leased are no part of them. */
  refuseHere(asks: readonly Ask[]): Verdict | undefined {
    for (const ask of asks) {
      const refusal = this.#leases?.refusal(ask)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  /** Asks for a verdict about takes: from all of them or from none. The id of one, undefined: a new one. */
  async take(asks: readonly Ask[], ids: readonly (string | undefined)[]): Promise<Verdict | null> {
    const takes = asks.map((ask, index) => ({ ...wireAsk(ask), id: ids[index] ?? this.newId() }))
    const verdict = await this.#batch.take(takes)
    if (verdict === null) return null
    for (const ask of asks)
      if (verdict.admitted || verdict.limit === ask.entry.name) this.#leases?.decided(ask, verdict)
    return verdict
  }

  /** Reserves. */
  async reserve(
    ask: Ask,
    { id, leaseMs }: { readonly id: string; readonly leaseMs: number },
  ): Promise<{ readonly verdict: Verdict; readonly endsAt: number } | null> {
    const { name } = ask.entry
    if (this.#unknown.has(name)) return null
    const answer = await this.#ask('limits.reserve', { ...wireAsk(ask), id, leaseMs })
    if (answer?.kind === 'denied' && answer.status === 404) this.#unknown.add(name, answer)
    else if (answer?.kind === 'denied') this.#sayDenied('limits.reserve', answer)
    return answer?.kind === 'done' ? readReservation(answer.body, this.#parts.clock.now()) : null
  }

  /** Commits a reservation that ends at `endsAt` (in ms since 1970) by itself. */
  async commit(id: string, cost: number | undefined, endsAt: number): Promise<void> {
    await this.#tell(
      { operation: 'limits.commit', input: cost === undefined ? { id } : { id, cost } },
      endsAt,
    )
  }

  /** Cancels a reservation. */
  async cancel(id: string, endsAt: number): Promise<void> {
    await this.#tell({ operation: 'limits.cancel', input: { id } }, endsAt)
  }

  /** Gives units back. */
  async refund(ask: Ask, id: string | undefined): Promise<void> {
    this.#leases?.refunded(ask)
    if (this.#unknown.has(ask.entry.name)) return
    const answer = await this.#ask('limits.refund', { ...wireAsk(ask), id: id ?? this.newId() })
    if (answer?.kind === 'denied') this.#sayDenied('limits.refund', answer)
  }

  /** A new idempotency key. */
  newId(): string {
    return uuidv7(this.#parts.clock, this.#parts.random)
  }

  /** Gives leases back. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#leases?.close()
    this.#post.close()
  }

  /** Undefined: control is away, and it is not the time to try. */
  async #ask(operation: string, input: unknown): Promise<Answer | undefined> {
    if (!this.#reach.mayCall()) return undefined
    const answer = await this.#post.call(operation, input)
    if (answer.kind === 'away') this.#reach.failed(answer.because, answer.retryAfterMs)
    else this.#reach.answered()
    return answer
  }

  #sayDenied(operation: string, { detail }: Denial): void {
    this.#parts.log.warn(`limits: control denied ${operation}: ${detail}`)
  }

  /** Says it once; whoever waits need not wait for the rest, should control be away. */
  async #tell(message: Message, endsAt: number): Promise<void> {
    if ((await this.#isHeard(message)) || this.#repeating >= mostRepeating) return
    this.#repeating++
    void this.#repeat(message, endsAt).finally(() => this.#repeating--)
  }

  /** A lost commit would give back what was used, so it is said again until the lease has ended or all is closed. */
  async #repeat(message: Message, endsAt: number): Promise<void> {
    const { clock } = this.#parts
    while (clock.now() < endsAt) {
      const isAsleep = clock.sleep(this.#reach.pauseMs(), this.#closing.signal)
      const isClosed = await isAsleep.then(
        () => false,
        () => true,
      )
      if (isClosed || (await this.#isHeard(message))) return
    }
  }

  async #isHeard({ operation, input }: Message): Promise<boolean> {
    const answer = await this.#ask(operation, input)
    if (answer?.kind === 'denied') this.#sayDenied(operation, answer)
    return answer !== undefined && answer.kind !== 'away'
  }
}

interface Message {
  readonly operation: string
  readonly input: unknown
}
