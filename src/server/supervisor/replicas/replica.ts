import type { ReplicaStatus, SupervisorEvent } from '../../../contracts/supervisor.ts'
import { systemCode, type Clock } from '../../../kernel/std/index.ts'
import type { Exit } from '../machine/launch.ts'
import type { Listener } from '../machine/listeners.ts'
import { whyUnstartable } from '../machine/resolve-program.ts'
import type { EventParts } from '../records/event-log.ts'
import { lastLines } from '../records/last-lines.ts'
import type { Accepted } from './accepted.ts'
import { decideRestart, LIVES_KEPT, type Life } from './decide-restart.ts'
import type { Gate } from './gate.ts'
import type { GivenPort, PortBook } from './port-book.ts'
import type { ReplicaHost, RunningReplica } from './replica-host.ts'
import type { RunRecord } from './run-file.ts'
import { sayExit } from './say-exit.ts'

/** What a replica works with. */
export interface ReplicaParts {
  readonly clock: Clock
  readonly host: ReplicaHost
  readonly ports: PortBook
  readonly gate: Gate
  readonly record: (event: EventParts) => void
  /** Called whenever a process was started or is gone. */
  readonly changed: () => void
  readonly logFile: string
}

/** Shares of the machine that a replica used in the last sample. */
export type Usage = Pick<ReplicaStatus, 'cpu' | 'memoryBytes'>

interface Wish {
  readonly accepted: Accepted
  /** Grows with each wish and restart: a process of an older one is to be replaced. */
  readonly generation: number
}

/** Why nothing runs although it is wished. */
type Hold = {
  readonly kind: 'waiting' | 'ended' | 'crash-looped' | 'exposed'
  readonly lifted: AbortController
}

interface Current extends RunningReplica {
  readonly generation: number
  /** Unknown for an adopted one until a wish with its hash comes. */
  accepted: Accepted | null
}

const EVENT_LINES = 20
/** One that listens to the world is not given long to leave. */
const EXPOSED_STOP_MS = 1000
/** Stop timeout of an adopted process whose specification was lost. */
const UNKNOWN_STOP_MS = 10_000
/** A command at fault, as opposed to a machine that has no room for another process just now. */
const COMMAND_ERRORS = new Set([
  'ENOENT',
  'EACCES',
  'ENOEXEC',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'E2BIG',
  'EPERM',
])

/**
 * One slot of a service and the process in it. What is wished and what is there are brought together by one loop
 * (`settle`), so that wishes may change at any time, while it starts or stops too.
 */
export class Replica {
  readonly id: string
  readonly #parts: ReplicaParts
  #wish: Wish | null = null
  #generation = 0
  #dropped = false
  #hold: Hold | null = null
  #current: Current | null = null
  #phase: 'starting' | 'stopping' | null = null
  #sweeping: Promise<void> = Promise.resolve()
  #settling: Promise<void> | null = null
  #lives: Life[] = []
  #restarts = 0
  #lastExit: ReplicaStatus['lastExit'] = null
  #usage: Usage = { cpu: null, memoryBytes: null }

  constructor(id: string, parts: ReplicaParts) {
    this.id = id
    this.#parts = parts
  }

  /** Makes this specification run; the one that runs already is left alone. */
  want(accepted: Accepted): void {
    this.#dropped = false
    if (this.#wish?.accepted.specHash === accepted.specHash) return
    if (this.#wish === null && this.#current?.specHash === accepted.specHash) {
      this.#current.accepted = accepted
    } else {
      this.#generation++
      this.#restarts = 0
    }
    this.#wish = { accepted, generation: this.#generation }
    this.#lives = []
    this.#lift()
    this.#settle()
  }

  /** It ran to its end under an earlier supervisor, and is not run again. */
  found(accepted: Accepted, exit: RunRecord['exit']): void {
    this.#wish = { accepted, generation: this.#generation }
    this.#hold = { kind: 'ended', lifted: new AbortController() }
    this.#lastExit = exit ?? { code: null, signal: null, at: this.#parts.clock.now(), lastLines: [] }
  }

  /** Takes over a process of an earlier supervisor. It is left alone until something else is wanted. */
  adopt(record: RunRecord): void {
    this.#restarts = record.restarts
    this.#begin({ ...this.#parts.host.adopt(record), generation: this.#generation, accepted: null })
    this.#event({ what: 'replica-adopted', pid: record.pid, port: record.port })
  }

  /** Stops what runs and starts it anew; also one that was left down. False when nothing is wished here. */
  restart(): boolean {
    if (this.#wish === null) return false
    this.#generation++
    this.#restarts++
    this.#wish = { ...this.#wish, generation: this.#generation }
    this.#lives = []
    this.#lift()
    this.#settle()
    return true
  }

  /** Stops it for good. Resolves when nothing of it is left. */
  async drop(): Promise<void> {
    this.#wish = null
    this.#dropped = true
    this.#lift()
    this.#settle()
    while (this.#settling !== null) await this.#settling
    await this.#sweeping
  }

  /** Forgets its process, which runs on. */
  leave(): void {
    this.#wish = null
    this.#current = null
    this.#lift()
  }

  /** Stops it and leaves it down, because it listens beyond loopback. */
  expose(listener: Listener): void {
    if (this.#current === null || this.#hold !== null) return
    this.#hold = { kind: 'exposed', lifted: new AbortController() }
    const { pid, port } = this.#current
    const detail = `listens on ${listener.address}:${listener.port}, beyond loopback, where nothing limits it`
    this.#event({ what: 'replica-exposed', pid, port, detail })
    this.#settle()
  }

  /** Notes what it uses. */
  measured(usage: Usage): void {
    this.#usage = usage
  }

  /** The process in it, if any. */
  get current(): RunningReplica | null {
    return this.#current
  }

  /** Whether it may listen beyond loopback; so may one whose specification was lost, for nobody forbade it. */
  get mayExpose(): boolean {
    return this.#current?.accepted?.spec.mayExpose ?? true
  }

  /** Whether nothing runs here and nothing is wished. */
  get empty(): boolean {
    return this.#wish === null && this.#current === null && this.#settling === null
  }

  /** What is wished here; null: nothing, or what is not known. */
  get wished(): Accepted | null {
    return this.#wish?.accepted ?? null
  }

  /** How what is wished here is started, and what runs; null: it runs, and nobody knows how it was started. */
  get specs(): readonly (Accepted['spec'] | null)[] {
    const running = this.#current === null ? [] : [this.#current.accepted?.spec ?? null]
    return [...running, ...(this.#wish === null ? [] : [this.#wish.accepted.spec])]
  }

  /** As it is to be found again by the next supervisor; null when it may be started anew. */
  runRecord(): RunRecord | null {
    const current = this.#current
    if (current === null) return this.#runsOnce() ? this.#onceRecord() : null
    const { specHash, pid, birth, startedAt, port } = current
    return { id: this.id, specHash, pid, birth, startedAt, port, restarts: this.#restarts, exit: null }
  }

  #runsOnce(): boolean {
    return this.#wish?.accepted.spec.restarts === false && (this.#phase === 'starting' || this.#hold !== null)
  }

  /** Without a process: it is about to start, or has ended. */
  #onceRecord(): RunRecord {
    const specHash = this.#wish?.accepted.specHash ?? ''
    const exit = this.#hold === null ? null : this.#lastExit
    return { id: this.id, specHash, pid: 0, birth: '', startedAt: 0, port: null, restarts: 0, exit }
  }

  status(): ReplicaStatus {
    return {
      id: this.id,
      service: this.id.slice(0, this.id.indexOf('/')),
      state: this.#state(),
      leaving: this.#dropped,
      restarts: this.#restarts,
      host: '127.0.0.1',
      detail: null,
      lastExit: this.#lastExit,
      logFile: this.#parts.logFile,
      ...(this.#current === null ? this.#absent() : { ...present(this.#current), ...this.#usage }),
    }
  }

  #absent(): ReturnType<typeof present> & Usage {
    const { specHash = '', spec } = this.#wish?.accepted ?? {}
    const nothing = { pid: null, port: null, startedAt: null, adopted: false, cpu: null, memoryBytes: null }
    return { specHash, release: spec?.release ?? null, ...nothing }
  }

  #state(): ReplicaStatus['state'] {
    if (this.#phase !== null) return this.#phase
    if (this.#current !== null) return 'running'
    return this.#hold?.kind ?? (this.#wish === null ? 'stopped' : 'starting')
  }

  #settle(): void {
    if (this.#settling !== null) return
    this.#settling = this.#bringTogether()
  }

  async #bringTogether(): Promise<void> {
    // One turn later, so that `#settling` is set before the loop can end and clear it.
    await Promise.resolve()
    for (;;) {
      const target = this.#hold === null ? this.#wish : null
      if (this.#current !== null && this.#current.generation !== target?.generation)
        await this.#stop(this.#current)
      else if (this.#current === null && target !== null) await this.#start(target)
      else break
    }
    this.#settling = null
  }

  async #start(wish: Wish): Promise<void> {
    const { host, gate, ports } = this.#parts
    const { spec } = wish.accepted
    this.#phase = 'starting'
    const beganAtMs = this.#parts.clock.monotonicMs()
    await this.#sweeping
    try {
      const why = whyUnstartable(spec.command, spec.directory, spec.variables['PATH'])
      if (why !== null) return this.#unstartable(why)
      await gate.pass(async () => {
        const given = await ports.give(spec)
        if (this.#wish !== wish) return
        // On record before it begins: what runs once is rather not run than run twice.
        if (!spec.restarts) this.#parts.changed()
        this.#started(await host.start(wish.accepted, given.port), given, wish)
      })
    } catch (error) {
      this.#failed(error as Error, beganAtMs)
    } finally {
      this.#phase = null
    }
  }

  #started(running: RunningReplica, given: GivenPort, wish: Wish): void {
    this.#begin({ ...running, generation: wish.generation, accepted: wish.accepted })
    const { takenPort, port } = given
    const detail =
      takenPort === null ? null : `port ${takenPort} was taken by another program; it listens on ${port} now`
    this.#event({ what: 'replica-started', pid: running.pid, port, detail })
  }

  #begin(current: Current): void {
    this.#current = current
    this.#usage = { cpu: null, memoryBytes: null }
    this.#parts.changed()
    void current.exited.then((exit) => this.#ended(current, exit))
  }

  #failed(error: Error, beganAtMs: number): void {
    const command = COMMAND_ERRORS.has(systemCode(error) ?? '') || error instanceof TypeError
    if (command) return this.#unstartable(error.message)
    // The machine is at fault (no memory, no port): that may pass, so it is tried for ever.
    const detail = `could not be started: ${error.message}`
    this.#crashed({ detail }, { startedAtMs: beganAtMs, mayGiveUp: false })
  }

  #unstartable(detail: string): void {
    this.#hold = { kind: 'crash-looped', lifted: new AbortController() }
    this.#event({ what: 'replica-unstartable', detail })
  }

  async #stop(current: Current): Promise<void> {
    this.#phase = 'stopping'
    const spec = (current.accepted ?? this.#wish?.accepted)?.spec
    const declared = spec?.stopTimeoutMs ?? UNKNOWN_STOP_MS
    const timeoutMs = this.#hold?.kind === 'exposed' ? Math.min(EXPOSED_STOP_MS, declared) : declared
    const exit = await this.#parts.host.end(current, timeoutMs, spec?.stopSignal)
    this.#leave(exit)
    this.#phase = null
    this.#event({ what: 'replica-exited', pid: current.pid, port: current.port, ...exit, detail: 'stopped' })
  }

  #leave(exit: Exit, lastLines: readonly string[] = []): void {
    this.#current = null
    this.#lastExit = { ...exit, at: this.#parts.clock.now(), lastLines: [...lastLines] }
    this.#parts.changed()
  }

  /** It ended by itself. */
  #ended(current: Current, exit: Exit): void {
    if (this.#current !== current || this.#phase === 'stopping') return
    const { pid, port } = current
    const detail = sayExit(exit, memoryOf(current))
    const lines = lastLines(this.#parts.logFile, EVENT_LINES, current.logOffset)
    this.#leave(exit, lines)
    this.#sweeping = this.#parts.host.sweep(current)
    const seen = { pid, port, ...exit, detail, lastLines: [...lines] }
    if (this.#wish?.generation !== current.generation) {
      this.#event({ what: 'replica-exited', ...seen })
      if (this.#wish !== null) this.#settle()
    } else if (this.#wish.accepted.spec.restarts) {
      this.#crashed(seen, { startedAtMs: current.startedAtMs, mayGiveUp: true })
    } else {
      this.#ranOnce(seen)
    }
  }

  #ranOnce(seen: Partial<SupervisorEvent>): void {
    this.#hold = { kind: 'ended', lifted: new AbortController() }
    this.#parts.changed()
    this.#event({ ...seen, what: 'replica-ended' })
  }

  #crashed(seen: Partial<SupervisorEvent>, life: { startedAtMs: number; mayGiveUp: boolean }): void {
    const { startedAtMs, mayGiveUp } = life
    const nowMs = this.#parts.clock.monotonicMs()
    this.#lives = [...this.#lives, { startedAtMs, endedAtMs: nowMs }].slice(-LIVES_KEPT)
    const decision = decideRestart(this.#lives, nowMs, mayGiveUp)
    const hold: Hold = {
      kind: decision.kind === 'restart' ? 'waiting' : 'crash-looped',
      lifted: new AbortController(),
    }
    this.#hold = hold
    if (decision.kind === 'restart') {
      this.#event({ ...seen, what: 'replica-crashed', restartInMs: decision.afterMs })
      void this.#restartAfter(decision.afterMs, hold)
      return
    }
    const seconds = Math.max(1, Math.round(decision.withinMs / 1000))
    const detail = `${seen.detail}; that was crash ${decision.crashes} within ${seconds} s: it is left down`
    this.#event({ ...seen, what: 'replica-crash-looped', detail })
  }

  async #restartAfter(delayMs: number, hold: Hold): Promise<void> {
    await this.#parts.clock.sleep(delayMs, hold.lifted.signal).catch(() => undefined)
    if (this.#hold !== hold) return
    this.#restarts++
    this.#lift()
    this.#settle()
  }

  #lift(): void {
    const hold = this.#hold
    this.#hold = null
    hold?.lifted.abort()
  }

  #event(parts: Omit<EventParts, 'subject'>): void {
    this.#parts.record({ ...parts, subject: this.id })
  }
}

/** Whether it was killed for want of memory, and how much it was given. */
function memoryOf({ group, earlierKills, accepted }: Current): Parameters<typeof sayExit>[1] {
  const outOfMemory = (group?.outOfMemoryKills() ?? 0) > earlierKills
  return { outOfMemory, memoryMiB: accepted?.spec.memoryMiB ?? null }
}

type Process = Pick<ReplicaStatus, 'specHash' | 'release' | 'pid' | 'port' | 'startedAt' | 'adopted'>

function present(current: Current): Process {
  const { specHash, pid, port, startedAt, adopted, accepted, marked } = current
  return { specHash, release: accepted?.spec.release ?? marked, pid, port, startedAt, adopted }
}
