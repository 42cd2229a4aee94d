import { Redis } from 'ioredis'
import type { CounterAsk, CounterOutcome, CounterStore } from '../../capabilities/edge/ports.ts'
import { HoldfastError, plainError, type Clock, type Random } from '../../kernel/std/index.ts'
import { Deadlines } from './deadlines.ts'
import { decodeOutcome, encodeAsk, isReply, nameOf, namingOf, type Naming } from './encode.ts'
import { renewScript, takeScript, type Script } from './scripts.ts'

/** Where the counters are and how long to wait for them. */
export interface RedisCountersOptions {
  /** `redis://user@host:6379/0`, `rediss://...` for TLS, or the path of a unix socket. */
  readonly url: string
  /** Default none. */
  readonly password?: string
  /** Stands in the name of every counter; letters, digits, `.`, `_`, `-`. */
  readonly environment: string
  /** After which an answer is no longer waited for, from 10 ms; looked at every 5 ms. Default 75. */
  readonly timeoutMs?: number
  readonly clock: Clock
  readonly random: Random
}

const defaultTimeoutMs = 75
const connectTimeoutMs = 1000
const firstRetryMs = 50
const longestRetryMs = 2000
/**
 * Requests in one call. Few enough that several calls are under way when it is busy, so that the store works on the next
 * while the replies to the last are read; more save the store little.
 */
const mostTogether = 8

/** One request that waits to be sent. */
interface Request {
  readonly asks: readonly CounterAsk[]
  readonly resolve: (outcomes: readonly CounterOutcome[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens the counters on a Redis (7 or newer) or Valkey: one connection, whose replies come in order. It connects by
 * itself, and again after a loss, after a time that is drawn by lot so that edges do not all come back at once.
 * What is asked for in one turn of the event loop goes out in a few calls.
 */
export function openCounterStore(options: RedisCountersOptions): CounterStore {
  return new RedisCounters(options)
}

class RedisCounters implements CounterStore {
  readonly #redis: Redis
  readonly #naming: Naming
  readonly #deadlines: Deadlines
  readonly #timeoutMs: number
  #waiting: Request[] = []

  constructor(options: RedisCountersOptions) {
    const { url, password = '', environment, timeoutMs = defaultTimeoutMs, clock, random } = options
    this.#timeoutMs = timeoutMs
    this.#naming = namingOf(environment)
    this.#deadlines = new Deadlines(clock, timeoutMs)
    this.#redis = new Redis(url, {
      password,
      protocol: 2,
      disableClientInfo: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      connectTimeout: connectTimeoutMs,
      retryStrategy: (attempt) =>
        random.next() * Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt, 10)),
      // After a failover the old primary only reads.
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    })
    // Whoever asks hears of it.
    this.#redis.on('error', () => undefined)
  }

  take(asks: readonly CounterAsk[]): Promise<readonly CounterOutcome[]> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send())
      this.#waiting.push({ asks, resolve, reject })
    })
  }

  async release(asks: readonly CounterAsk[]): Promise<void> {
    const given = asks.map(({ limit, key, cost, lease }) =>
      this.#redis.zrem(nameOf(this.#naming, limit, key), ...membersOf(lease, cost)),
    )
    await this.#bound(Promise.all(given))
  }

  async renew(asks: readonly CounterAsk[]): Promise<boolean> {
    const parts = this.#namesOf(asks)
    for (const { form, cost, lease } of asks) {
      parts.push(cost, form.kind === 'concurrency' ? form.leaseMs * 1000 : 0, lease)
    }
    return (await this.#bound(this.#call(renewScript, asks.length, parts))) === 1
  }

  async probe(): Promise<void> {
    // A replica, and a store whose disk or memory is full, answer a ping; only a write tells.
    try {
      await this.#bound(this.#redis.set(`${this.#naming.prefix}probe`, '1', 'PX', 1000))
    } catch (error) {
      // A connection that was cut without a word is not told by the system for many minutes.
      if (this.#redis.status === 'ready') this.#redis.disconnect(true)
      throw error
    }
  }

  /** The client reads its options each time that it connects. */
  setPassword(password: string): void {
    this.#redis.options.password = password
  }

  close(): void {
    this.#redis.disconnect()
  }

  #send(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let at = 0; at < waiting.length; at += mostTogether) {
      void this.#sendTogether(waiting.slice(at, at + mostTogether))
    }
  }

  async #sendTogether(requests: readonly Request[]): Promise<void> {
    try {
      const asks = requests.flatMap((request) => request.asks)
      const parts = this.#namesOf(asks)
      for (const request of requests) {
        parts.push(request.asks.length)
        for (const ask of request.asks) encodeAsk(ask, parts)
      }
      const reply = await this.#bound(this.#call(takeScript, asks.length, parts))
      if (!isReply(reply, asks.length)) throw unreachableStore('it answered something else than was asked')
      let index = 0
      for (const request of requests) request.resolve(request.asks.map(() => decodeOutcome(reply, index++)))
    } catch (error) {
      for (const request of requests) request.reject(error)
    }
  }

  #namesOf(asks: readonly CounterAsk[]): (string | number)[] {
    return asks.map(({ limit, key }) => nameOf(this.#naming, limit, key))
  }

  /** Calls a script by its name, and by its text when the store has forgotten it or never knew it. */
  #call(script: Script, keys: number, parts: readonly (string | number)[]): Promise<unknown> {
    return this.#redis.evalsha(script.sha, keys, ...parts).catch((error: unknown) => {
      if (!plainError(error).message.includes('NOSCRIPT')) throw error
      return this.#redis.eval(script.text, keys, ...parts)
    })
  }

  async #bound<Value>(promise: Promise<Value>): Promise<Value> {
    try {
      return await this.#deadlines.bound(promise, () =>
        unreachableStore(`no answer within ${this.#timeoutMs} ms`),
      )
    } catch (error) {
      throw error instanceof HoldfastError ? error : unreachableStore(plainError(error).message, error)
    }
  }
}

/** The members under which one lease holds its places. */
function membersOf(lease: string, cost: number): readonly string[] {
  return Array.from({ length: cost }, (_, index) => `${lease}:${index + 1}`)
}

function unreachableStore(why: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'edge.counters-unreachable',
    kind: 'operational',
    message: `The shared counters cannot be asked: ${why}.`,
    hint: 'Look whether Redis runs and whether the edge may connect to it.',
    cause,
  })
}
