import type { Limiter } from '../../../../kernel/limit/index.ts'
import { seededRandom } from '../../../../kernel/std/index.ts'
import type { Countable } from '../../pipeline/index.ts'
import { Sketch } from './sketch.ts'

/** What somebody sent by one route, as a thread counted it. */
export interface Sent {
  /** Slot of the counters. */
  readonly slot: number
  /** As limits count it; of an IPv6 address the first 64 bits. */
  readonly address: string
  /** As `user:42`; empty: it proved nothing. */
  readonly who: string
  readonly requests: number
}

/** Senders of one thread that are remembered at once. */
const mostSenders = 512
const longestWho = 200

/**
 * Who sent most requests by which route, in one thread, since the last call of `take`. Fixed memory. What it says is
 * never too much, but for samples; it is too little by at most 1/512 of all requests, see `Sketch`.
 */
export class SenderBook {
  readonly #sketch = new Sketch(mostSenders)
  readonly #senders: Pick<Sent, 'slot' | 'address' | 'who'>[] = []
  readonly random = seededRandom(mostSenders)
  /** How often it was taken. */
  turn = 0

  /** Counts requests of somebody. */
  add(slot: number, { client, who }: Countable, { requests, keys }: Counting): void {
    const name = who.user || who.key || who.passport
    const place = this.#sketch.add(slot, keys.hash(`${name}\n${client.key}`), requests)
    if (!this.#sketch.isFresh) return
    const address = client.key.replace('/64', '')
    this.#senders[place] = { slot, address, who: name.slice(0, longestWho) }
  }

  /** Takes what was counted. */
  take(): readonly Sent[] {
    const sent = this.#senders.map((sender, place) => ({
      ...sender,
      requests: this.#sketch.count(place) - this.#sketch.error(place),
    }))
    this.#sketch.restart()
    this.turn++
    return sent.filter(({ requests }) => requests > 0)
  }
}

interface Counting {
  readonly requests: number
  /** Makes keys of texts. */
  readonly keys: Pick<Limiter, 'hash'>
}

/** So many requests of a route are all looked at, then one of two, of three ... */
const stepRequests = 512
const rarest = 16

/**
 * Chooses which requests of a route are looked at: all of a quiet minute, few of a busy one. Each stands for as many as
 * are passed over on average; how many are is drawn, so that whoever comes in step with others is not missed.
 */
export class Sampler {
  readonly #book: SenderBook
  #left = 1
  #standsFor = 1
  #came = 0
  #turn = 0

  constructor(book: SenderBook) {
    this.#book = book
  }

  /** For how many requests this one stands; 0: it is passed over. */
  next(): number {
    if (--this.#left > 0) return 0
    const requests = this.#standsFor
    if (this.#turn !== this.#book.turn) [this.#turn, this.#came] = [this.#book.turn, 0]
    this.#came += requests
    const every = Math.min(rarest, 1 + Math.floor(this.#came / stepRequests))
    this.#standsFor = every
    this.#left = every === 1 ? 1 : 1 + Math.floor(this.#book.random.next() * (2 * every - 1))
    return requests
  }
}
