import { flushCompileCache } from 'node:module'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { assert, plainError, seededRandom, systemClock, systemRandom } from '../../../../kernel/std/index.ts'
import { createRetryBudget } from '../../pipeline/index.ts'
import {
  openTargetBoard,
  type FromThread,
  type Handout,
  type IdentityMaterial,
  type ThreadGround,
  type ToThread,
} from '../shared/index.ts'
import { createLeases, createLookAlikes, prepare, SharedKeeper, type Prepared } from '../limits/index.ts'
import { nameOffenders, nameSenders } from '../offenders/index.ts'
import { createOrigins } from '../upstreams/index.ts'
import { serve, type Serving } from './serve.ts'
import type { TrafficGround } from './visit.ts'

const renewLeasesMs = 5000
const tellOffendersMs = 5000
const lookAlikesMs = 5000
const sharedRefusalsMs = 1000
const lookAtMinuteMs = 500
const minuteMs = 60_000
/** How long a WebSocket may go on when the edge ends. */
const tunnelGraceMs = 1000
/** By then it has served what had queued. */
const keepCompiledAfterMs = 1000

/** A data thread: takes policies from the main thread and serves. */
class Thread {
  readonly #ground: ThreadGround
  readonly #traffic: TrafficGround
  readonly #origins = createOrigins()
  readonly #tell: (message: FromThread) => void
  readonly #shared: SharedKeeper
  #serving: readonly Serving[] = []
  /** Start of the minute in which requests are counted by their senders. */
  #minute = minuteOf(systemClock.now())
  #waiting: { readonly prepared: Prepared; readonly handout: Handout } | null = null

  constructor(ground: ThreadGround, tell: (message: FromThread) => void) {
    this.#ground = ground
    this.#tell = tell
    const limitTimeMs = (): number => Math.floor(ground.timeOriginMs + systemClock.monotonicMs())
    this.#traffic = {
      clock: systemClock,
      random: seededRandom(ground.randomSeed),
      pseudonym: ground.pseudonym,
      limitTimeMs,
      board: openTargetBoard(ground.threads, ground.thread, ground.targets),
      leases: createLeases(limitTimeMs),
      budget: createRetryBudget(),
      tunnels: new Set(),
      lookAlikes: createLookAlikes(),
      current: null,
      isDraining: false,
    }
    systemClock.every(renewLeasesMs, () => this.#traffic.leases.renew())
    const { threads, thread, seed, counterStore } = ground
    this.#shared = new SharedKeeper({
      threads,
      storeModule: counterStore,
      seed,
      clock: systemClock,
      random: systemRandom,
      onChange: (isUp, why) => tell({ say: 'counters', thread, isUp, why }),
    })
    systemClock.every(sharedRefusalsMs, () => this.#tellSharedRefusals())
    systemClock.every(tellOffendersMs, () => this.#tellOffenders())
    systemClock.every(lookAtMinuteMs, () => {
      if (minuteOf(systemClock.now()) !== this.#minute) this.#tellSenders()
    })
    systemClock.every(lookAlikesMs, () => this.#tellLookAlikes())
  }

  async hear(message: ToThread): Promise<void> {
    if (message.say === 'prepare') return this.#prepare(message.handout)
    if (message.say === 'swap') return this.#swap(message.number)
    if (message.say === 'identity') return this.#renewIdentity(message.identity)
    if (message.say === 'drain') return this.#drain(message.deadlineMs)
    this.#setKeyPairs(message.keyPairs)
  }

  async #prepare(handout: Handout): Promise<void> {
    const { number } = handout
    this.#waiting?.prepared.limiter.close()
    this.#waiting = null
    try {
      const prepared = prepare(handout, {
        clock: systemClock,
        limitTimeMs: this.#traffic.limitTimeMs,
        random: systemRandom,
        seed: this.#ground.seed,
        origins: this.#origins,
        board: this.#traffic.board,
        shared: await this.#shared.open(handout),
        onUnknownKey: () => this.#tell({ say: 'unknown-key' }),
      })
      this.#waiting = { prepared, handout }
      this.#tell({ say: 'prepared', number, trouble: null })
    } catch (error) {
      this.#tell({ say: 'prepared', number, trouble: plainError(error) })
    }
  }

  async #swap(number: number): Promise<void> {
    const waiting = this.#waiting
    assert(waiting?.handout.number === number, `policy ${number} was not prepared`)
    const { prepared, handout } = waiting
    this.#waiting = null
    // Requests under way go on with the one before.
    this.#tellOffenders()
    this.#tellSenders()
    this.#traffic.current?.limiter.close()
    this.#traffic.current = prepared
    this.#shared.keep(prepared.shared)
    this.#origins.keep(
      new Set(handout.policy.upstreams.flatMap(({ targets }) => targets.map(({ origin }) => origin))),
    )
    this.#setKeyPairs(handout.keyPairs)
    const isFirst = this.#serving.length === 0
    if (isFirst) await this.#open(handout)
    for (const [index, listener] of handout.policy.listeners.entries()) {
      this.#serving[index]?.tune(handout.policy, listener)
    }
    this.#tell({ say: 'serving', number, ports: this.#serving.map(({ port }) => port) })
    if (isFirst && this.#ground.thread === 0) await this.#keepCompiled()
  }

  /** By itself Node keeps compiled code at the end of a process, to which one that is killed never comes. */
  async #keepCompiled(): Promise<void> {
    await this.#traffic.clock.sleep(keepCompiledAfterMs)
    flushCompileCache()
  }

  async #open({ policy, keyPairs }: Handout): Promise<void> {
    const serving: Serving[] = []
    for (const [index, listener] of policy.listeners.entries()) {
      const place = this.#ground.places[index]
      assert(place !== undefined, `listener ${index} has no place`)
      const keyPair = keyPairs[index] ?? null
      const isShared = this.#ground.threads > 1
      serving.push(await serve(this.#traffic, { place, listener, keyPair, policy, isShared }))
    }
    this.#serving = serving
  }

  #setKeyPairs(keyPairs: Handout['keyPairs']): void {
    for (const [index, pair] of keyPairs.entries()) {
      if (pair !== null) this.#serving[index]?.setKeyPair(pair)
    }
  }

  #renewIdentity(identity: IdentityMaterial): void {
    this.#traffic.current?.identity?.renew(identity)
    this.#waiting?.prepared.identity?.renew(identity)
    this.#shared.renew(identity)
  }

  #tellLookAlikes(): void {
    const peers = this.#traffic.lookAlikes.take()
    if (peers.length > 0) this.#tell({ say: 'look-alikes', peers })
  }

  #tellSharedRefusals(): void {
    const { current } = this.#traffic
    const refusals = current === null ? [] : this.#shared.refusals(current.policy)
    if (refusals.length > 0) this.#tell({ say: 'shared-refusals', refusals })
  }

  /** A tunnel has no end of its own to wait for, and whoever comes anew waits for the next process. */
  async #endTunnels(graceMs: number): Promise<void> {
    const { clock, tunnels } = this.#traffic
    if (tunnels.size > 0) await clock.sleep(graceMs)
    for (const socket of tunnels) socket.destroy()
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#traffic.isDraining = true
    const tunnelsEnded = this.#endTunnels(Math.min(deadlineMs, tunnelGraceMs))
    await Promise.all(this.#serving.map((serving) => serving.drain(deadlineMs)))
    await tunnelsEnded
    await this.#origins.close()
    this.#shared.keep(null)
    this.#tellOffenders()
    this.#tellSenders()
    this.#traffic.current?.limiter.close()
    this.#tell({ say: 'drained' })
  }

  #tellOffenders(): void {
    const { current } = this.#traffic
    if (current === null) return
    const seen = nameOffenders(current.offenders, current.policy)
    if (seen.offenders.length + seen.nearMisses.length > 0) this.#tell({ say: 'offenders', ...seen })
  }

  #tellSenders(): void {
    const minute = this.#minute
    this.#minute = minuteOf(systemClock.now())
    const { current } = this.#traffic
    const senders = current === null ? [] : nameSenders(current.offenders, current.policy, minute)
    if (senders.length > 0) this.#tell({ say: 'senders', senders })
  }
}

function minuteOf(atMs: number): number {
  return atMs - (atMs % minuteMs)
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  const thread = new Thread(workerData as ThreadGround, (message) => port.postMessage(message))
  port.on('message', (message: ToThread) => {
    thread.hear(message).catch((error: unknown) => {
      port.postMessage({ say: 'failed', trouble: plainError(error) } satisfies FromThread)
    })
  })
}
