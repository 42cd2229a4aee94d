import { isDeepStrictEqual } from 'node:util'
import type { EdgeNote, EdgePolicy, EdgeReport, EdgeState } from '../../../../contracts/edge-policy.ts'
import { createLimiter, parseLimit, type Limiter } from '../../../../kernel/limit/index.ts'
import { HoldfastError, plainError, uuidv7, type Clock, type Random } from '../../../../kernel/std/index.ts'
import type { IdentityStore } from '../../ports.ts'
import { openAlone, sharedIdentity } from '../limits/shared-limits.ts'
import {
  createSlotBook,
  limitCapacity,
  mostThreads,
  openCounters,
  openTargetBoard,
  planSlots,
} from '../shared/index.ts'
import type { Counters, Handout, SlotBook, TargetBoard, ThreadNews } from '../shared/index.ts'
import { createCrew, type Crew, type InheritedListener } from './crew.ts'
import { createIdentityWatch, type IdentityWatch } from './identity/watch.ts'
import { startHealthChecks, type HealthChecks, type TargetProbe } from './health-checks.ts'
import { createKeyPairWatch, loadKeyPairs } from './key-pairs.ts'
import { createReportRing, type ReportRing } from './report-ring.ts'
import { createReporter } from './reporter.ts'
import {
  beginLimits,
  createTableKeeper,
  type Beginning,
  type KeptTable,
  type TableKeeper,
} from './table/index.ts'

/** What a data plane works with. */
export interface DataPlaneParts {
  readonly clock: Clock
  readonly random: Random
  readonly pid: number
  readonly probe: TargetProbe
  readonly identityStore: IdentityStore
  readonly threads: number
  /** The module that opens the store of shared counters (`CounterStoreModule`); absent: limits cannot be shared. */
  readonly counterStore?: string
  /** Where the table of limits outlives the process; absent: with the process everybody's debts are forgotten. */
  readonly table?: KeptTable
  /** In any order; matched with the policy's by host and port. Empty: the edge opens every address itself. */
  readonly listeners: readonly InheritedListener[]
  /** The process has to start afresh; why. */
  readonly onExhausted: (why: string) => void
}

/** The running data plane. */
export interface RunningDataPlane {
  /**
   * Prepares everything anew, then swaps: every request sees one policy whole. On an error the old policy stays.
   * Errors: `edge.policy-refused`, `edge.certificate-invalid`, those of limits. Answers with the ports listened on.
   */
  apply(policy: EdgePolicy): Promise<readonly number[]>
  /**
   * Whether only a process that starts afresh can take this policy on: other listeners, or TLS where there was none.
   * Rejects when that one could not either. Errors: as `apply`.
   */
  needsRestart(policy: EdgePolicy): Promise<boolean>
  state(): EdgeState
  readonly edgeId: string
  readonly reports: ReportRing
  /** Stops accepting, lets requests end until the deadline (milliseconds from now), ends. */
  drain(deadlineMs: number): Promise<void>
  /** For tests: ends a thread as a crash would. */
  crashThread(thread: number): Promise<void>
}

const certificateLookMs = 5000
const identityLookMs = 5000
const firstKeysLookMs = 1000
const mostNotes = 20

/** Starts the data plane: threads wait for the first policy and then serve. */
export function startDataPlane(parts: DataPlaneParts): RunningDataPlane {
  return new ThreadedDataPlane(parts)
}

class ThreadedDataPlane implements RunningDataPlane {
  readonly edgeId: string
  readonly reports: ReportRing
  readonly #parts: DataPlaneParts
  readonly #board: TargetBoard
  readonly #slots: SlotBook
  readonly #health: HealthChecks
  readonly #reporter
  readonly #keyPairs = createKeyPairWatch()
  readonly #identity: IdentityWatch
  readonly #startedAt: number
  readonly #notes: string[] = []
  readonly #stops: (() => void)[] = []
  readonly #threads: number
  #crew: Crew | null = null
  #beginning: Beginning | null = null
  #keeper: TableKeeper | null = null
  #inEffect: { readonly policy: EdgePolicy; readonly limiter: Limiter; readonly counters: Counters } | null =
    null
  #alone: { readonly identity: string; readonly buffer: SharedArrayBuffer | null } = {
    identity: '',
    buffer: null,
  }
  /** Threads that have lost the store of shared counters. */
  readonly #lost = new Set<number>()
  #number = 0
  #isLooking = false
  #ports: readonly number[] = []

  constructor(parts: DataPlaneParts) {
    const { clock, random, probe } = parts
    this.#parts = parts
    this.#threads = Math.max(1, Math.min(mostThreads, parts.threads))
    this.edgeId = uuidv7(clock, random)
    this.#startedAt = clock.now()
    this.reports = createReportRing(clock)
    this.#reporter = createReporter(this.edgeId)
    this.#board = openTargetBoard(this.#threads, 0)
    this.#slots = createSlotBook(this.#board)
    this.#health = startHealthChecks({ clock, board: this.#board, probe })
    const unhealthy = (): readonly string[] => this.#health.unhealthy()
    this.#identity = createIdentityWatch({ store: parts.identityStore, clock, unhealthy })
    this.#stops.push(
      () => this.#health.stop(),
      clock.every(1000, () => this.#report()),
      clock.every(certificateLookMs, () => void this.#lookAtCertificates()),
      clock.every(identityLookMs, () => void this.#lookAtIdentity()),
      clock.every(firstKeysLookMs, () => {
        if (this.#identity.isWaiting()) void this.#lookAtIdentity()
      }),
    )
  }

  async apply(policy: EdgePolicy): Promise<readonly number[]> {
    const keyPairs = await loadKeyPairs(policy.listeners)
    const identity = await this.#identity.accept(policy)
    const beginning = await this.#beginFor(policy)
    const crew = this.#crewFor(policy, beginning)
    const limiter = this.#limiterFor(policy, beginning)
    const counters = this.#countersFor(policy)
    const assigned = this.#slots.assign(policy.upstreams.flatMap(slotKeys))
    const slots = policy.upstreams.map((upstream) => slotKeys(upstream).map((key) => assigned.get(key) ?? 0))
    const handout: Handout = {
      number: ++this.#number,
      policy,
      limiter: limiter.buffer,
      counters: counters.buffer,
      slots,
      keyPairs,
      identity,
      alone: this.#aloneFor(policy, beginning),
    }
    this.#ports = await crew.apply(handout)
    this.#inEffect = { policy, limiter, counters }
    this.#reporter.open(this.#inEffect)
    this.#keeper?.keep(limiter.buffer)
    this.#keyPairs.accept(policy.listeners, keyPairs)
    this.#health.watch(policy, slots)
    void this.#lookAtIdentity()
    return this.#ports
  }

  async needsRestart(policy: EdgePolicy): Promise<boolean> {
    const before = this.#inEffect?.policy
    if (before === undefined || placesOf(before) === placesOf(policy)) return false
    this.#listenersFor(policy)
    await loadKeyPairs(policy.listeners)
    for (const { rule } of policy.limits) parseLimit(rule)
    return true
  }

  state(): EdgeState {
    return {
      edgeId: this.edgeId,
      pid: this.#parts.pid,
      threads: this.#threads,
      startedAt: this.#startedAt,
      revision: this.#inEffect?.policy.revision ?? null,
      notes: this.#notes,
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    await this.#crew?.drain(deadlineMs)
    await this.#keeper?.end()
    for (const stop of this.#stops) stop()
    this.#report()
  }

  async crashThread(thread: number): Promise<void> {
    await this.#crew?.crash(thread)
  }

  /** What limits begin with is made out with the first policy: the file is read with its limits. */
  async #beginFor(policy: EdgePolicy): Promise<Beginning> {
    if (this.#beginning !== null) return this.#beginning
    const { clock, random, table = null } = this.#parts
    const beginning = await beginLimits({ clock, random, table }, policy)
    this.#beginning = beginning
    if (table !== null) this.#keeper = createTableKeeper({ clock, ...table, ...beginning })
    return beginning
  }

  /** The crew is made for the listeners of the first policy; others need other sockets. */
  #crewFor(policy: EdgePolicy, { seed, timeOriginMs }: Beginning): Crew {
    const before = this.#inEffect?.policy
    if (this.#crew !== null && before !== undefined && placesOf(before) !== placesOf(policy)) {
      throw new HoldfastError({
        code: 'edge.policy-refused',
        kind: 'user',
        message: 'where the edge listens, or whether it speaks TLS there, has changed',
        hint: 'run "holdfast down" and "holdfast up"',
        path: 'edge.listen',
      })
    }
    const { random, onExhausted } = this.#parts
    this.#crew ??= createCrew({
      threads: this.#threads,
      listeners: this.#listenersFor(policy),
      board: this.#board,
      random,
      seed,
      pseudonym: `holdfast-${this.edgeId.slice(-12)}`,
      onNews: (news) => this.#hear(news),
      counterStore: this.#parts.counterStore ?? null,
      timeOriginMs,
      onReplaced: (why) => this.#note({ what: 'thread-replaced', file: '', message: why.slice(0, 500) }),
      onExhausted,
    })
    return this.#crew
  }

  #listenersFor(policy: EdgePolicy): readonly InheritedListener[] {
    const { listeners } = this.#parts
    return policy.listeners.map(({ host, port }, index) => {
      const own = listeners.find((listener) => listener.host === host && listener.port === port)
      if (own !== undefined) return own
      if (listeners.length === 0) return { host, port, descriptors: [] }
      throw new HoldfastError({
        code: 'edge.policy-refused',
        kind: 'user',
        message: `the edge was not given a socket for ${host}:${port}`,
        hint: 'run "holdfast down" and "holdfast up"',
        path: `edge.listen.${index}`,
      })
    })
  }

  #limiterFor({ limits, limiterCapacity }: EdgePolicy, { seed, table }: Beginning): Limiter {
    const before = this.#inEffect
    const known =
      before === null ? table : { capacity: before.policy.limiterCapacity, buffer: before.limiter.buffer }
    const limiter = createLimiter({
      limits: limits.map(({ name, rule }) => ({ name, rule: parseLimit(rule) })),
      capacity: limiterCapacity,
      seed,
      limitCapacity,
      ...(known?.capacity === limiterCapacity ? { buffer: known.buffer } : {}),
    })
    // The main thread reads counts and decides nothing: the room among those that count without locking is the threads'.
    limiter.close()
    return limiter
  }

  /** One and the same for as long as nothing of the shared limits changes. */
  #aloneFor(policy: EdgePolicy, { seed }: Beginning): SharedArrayBuffer | null {
    const { shared } = policy
    const identity = sharedIdentity(policy)
    if (identity !== this.#alone.identity) {
      const limiter = shared === undefined ? null : openAlone(policy, shared, { seed })
      limiter?.close()
      this.#alone = { identity, buffer: limiter?.buffer ?? null }
    }
    return this.#alone.buffer
  }

  #countersFor(policy: EdgePolicy): Counters {
    const before = this.#inEffect
    const plan = planSlots(policy)
    const isSame = before !== null && isDeepStrictEqual(planSlots(before.policy), plan)
    return openCounters(plan, isSame ? before.counters.buffer : undefined)
  }

  #report(): void {
    const { clock } = this.#parts
    const report: EdgeReport = this.#reporter.take({
      at: Math.floor(clock.now() / 1000) * 1000 - 1000,
      connections: this.#board.connections(),
      unhealthyTargets: [...this.#health.unhealthy()],
    })
    this.reports.add(report)
  }

  #hear(news: ThreadNews): void {
    if (news.say === 'offenders') return this.#reporter.see(news)
    if (news.say === 'senders') return this.#reporter.addSenders(news.senders)
    if (news.say === 'look-alikes') return this.#reporter.addLookAlikes(news.peers)
    if (news.say === 'shared-refusals') return this.#reporter.addSharedRefusals(news.refusals)
    if (news.say === 'counters') return this.#hearOfCounters(news)
    this.#identity.wantKeys()
    void this.#lookAtIdentity()
  }

  /** Threads find out one by one; what is said is when the first has lost the store and when the last has it back. */
  #hearOfCounters({ thread, isUp, why }: Extract<ThreadNews, { say: 'counters' }>): void {
    const before = this.#lost.size
    if (isUp) this.#lost.delete(thread)
    else this.#lost.add(thread)
    const after = this.#lost.size
    if (before === 0 && after > 0) this.#note({ what: 'counters-lost', file: '', message: why.slice(0, 500) })
    if (before > 0 && after === 0) this.#note({ what: 'counters-found', file: '', message: '' })
  }

  /** One look at a time: sources may be slow. */
  async #lookAtIdentity(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const { material, notes } = await this.#identity.look()
      if (material !== undefined) this.#crew?.setIdentity(material)
      for (const note of notes) this.#note(note)
    } finally {
      this.#isLooking = false
    }
  }

  async #lookAtCertificates(): Promise<void> {
    try {
      const { keyPairs, notes } = await this.#keyPairs.look()
      if (keyPairs !== undefined) this.#crew?.setKeyPairs(keyPairs)
      for (const note of notes) this.#note(note)
    } catch (error) {
      this.#note({ what: 'certificate-refused', file: '', message: plainError(error).message.slice(0, 500) })
    }
  }

  #note(note: EdgeNote): void {
    this.#reporter.note(note)
    this.#notes.push(`${note.what.replaceAll('-', ' ')}: ${note.file} ${note.message}`.trim())
    this.#notes.splice(0, this.#notes.length - mostNotes)
  }
}

function slotKeys({ name, targets }: EdgePolicy['upstreams'][number]): readonly string[] {
  return targets.map(({ id, origin }) => `${name} ${id} ${origin}`)
}

/** What a running thread cannot change of its listeners. */
function placesOf({ listeners }: EdgePolicy): string {
  return JSON.stringify(listeners.map(({ host, port, tls }) => [host, port, tls !== null]))
}
