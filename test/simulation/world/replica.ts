import type { ReplicaSpec, ReplicaStatus, SupervisorEvent } from '../../../src/contracts/supervisor.ts'
import { contentHash, type Clock } from '../../../src/kernel/std/index.ts'
import { decideRestart, type Life } from '../../../src/server/supervisor/replicas/decide-restart.ts'
import type { Chance } from './chance.ts'

/** What an event says; the rest is null or empty. */
export type EventParts = Pick<SupervisorEvent, 'what' | 'subject'> & Partial<SupervisorEvent>

/** What a replica of the fake world stands on. */
export interface ReplicaGround {
  readonly clock: Clock
  readonly chance: Chance
  readonly record: (parts: EventParts) => void
  /** False while nothing watches over the replicas. */
  readonly isWatched: () => boolean
  /** Numbers processes and ports. */
  readonly nextPid: () => number
}

const startMs = 30

/** A replica that follows the rules of the real supervisor, and whatever else the faults make it do. */
export class FakeReplica {
  readonly spec: ReplicaSpec
  state: ReplicaStatus['state'] = 'starting'
  pid: number | null = null
  startedAt: number | null = null
  restarts = 0
  adopted = false
  /** What the application answers when it runs. */
  ill = false
  /** Milliseconds after which each process of it crashes; null: it lives. */
  crashAfterMs: number | null = null
  /** What runs once: how long it takes, and with which code it ends. */
  run = { takesMs: 300, code: 0 }
  /** Its program is missing. */
  unstartable = false
  readonly #ground: ReplicaGround
  readonly #port: number
  #lives: Life[] = []
  #lastExit: ReplicaStatus['lastExit'] = null
  #startedMs = 0
  /** Grows with everything that makes earlier plans void. */
  #turn = 0

  constructor(spec: ReplicaSpec, ground: ReplicaGround) {
    this.spec = spec
    this.#ground = ground
    this.#port = 20_000 + ground.nextPid()
    this.#later(startMs, () => this.#start())
  }

  get #specification(): Omit<ReplicaSpec, 'id'> {
    const { id: _slot, ...specification } = this.spec
    return specification
  }

  /** The port while a process is there. */
  get port(): number | null {
    const { port } = this.spec
    if (this.pid === null || port === null) return null
    return 'fixed' in port ? port.fixed : this.#port
  }

  /** Whether it does its work. */
  get well(): boolean {
    return this.state === 'running' && (this.spec.port === null || !this.ill)
  }

  status(): ReplicaStatus {
    const running = this.pid !== null
    return {
      id: this.spec.id,
      service: this.spec.service,
      state: this.state,
      leaving: false,
      specHash: contentHash(this.#specification),
      release: this.spec.release,
      pid: this.pid,
      port: this.port,
      startedAt: this.startedAt,
      restarts: this.restarts,
      adopted: this.adopted,
      host: '127.0.0.1',
      detail: null,
      lastExit: this.#lastExit,
      cpu: running ? 0.25 : null,
      memoryBytes: running ? 2 ** 26 : null,
      logFile: `/logs/${this.spec.id}`,
    }
  }

  /** The process dies by itself. */
  crash(): void {
    if (this.state !== 'running' || !this.#ground.isWatched()) return
    const nowMs = this.#ground.clock.monotonicMs()
    this.#lives = [...this.#lives, { startedAtMs: this.#startedMs, endedAtMs: nowMs }].slice(-10)
    const decision = decideRestart(this.#lives, nowMs)
    const { pid } = this
    const seen = { pid, code: 1, detail: 'exit code 1', lastLines: ['it broke'] }
    this.#leave(decision.kind === 'restart' ? 'waiting' : 'crash-looped')
    if (decision.kind === 'crash-looped') return this.#record({ ...seen, what: 'replica-crash-looped' })
    this.#record({ ...seen, what: 'replica-crashed', restartInMs: decision.afterMs })
    this.#later(decision.afterMs, () => {
      this.restarts++
      this.#start()
    })
  }

  /** It turns out to listen to the world. */
  expose(): void {
    if (this.state !== 'running') return
    const { pid } = this
    this.#leave('exposed')
    this.#record({ what: 'replica-exposed', pid, detail: 'listens on 0.0.0.0:3000' })
  }

  /** Somebody asks for a restart; whatever held it down is forgiven. */
  restart(): void {
    const { pid } = this
    this.restarts++
    this.#lives = []
    this.unstartable = false
    if (pid === null) return this.#later(startMs, () => this.#start())
    this.state = 'stopping'
    this.#later(200, () => {
      this.#leave('starting')
      this.#record({ what: 'replica-exited', pid, code: 0, detail: 'stopped' })
      this.#later(startMs, () => this.#start())
    })
  }

  /** A new supervisor finds it. */
  adopt(survived: boolean): void {
    if (this.state === 'ended') return
    if (this.pid !== null && survived) {
      this.adopted = true
      this.state = 'running'
      this.#later(0, () => undefined)
      this.#planEnd()
      return this.#record({ what: 'replica-adopted', pid: this.pid })
    }
    if (!this.spec.restarts && this.pid !== null) return this.#end(null)
    this.#leave('starting')
    this.#lives = []
    this.#later(startMs, () => this.#start())
  }

  #start(): void {
    if (this.unstartable) {
      this.#leave('crash-looped')
      return this.#record({ what: 'replica-unstartable', detail: 'no such program: nod' })
    }
    this.state = 'running'
    this.pid = this.#ground.nextPid()
    this.startedAt = this.#ground.clock.now()
    this.#startedMs = this.#ground.clock.monotonicMs()
    this.adopted = false
    this.#record({ what: 'replica-started', pid: this.pid, port: this.port })
    this.#planEnd()
  }

  /** What runs once has come to its end; null: nobody saw how. */
  #end(code: number | null): void {
    const { pid } = this
    this.#leave('ended', code)
    this.#record({ what: 'replica-ended', pid, code, detail: code === null ? null : `exit code ${code}` })
  }

  #planEnd(): void {
    if (!this.spec.restarts) this.#later(this.run.takesMs, () => this.#end(this.run.code))
    else if (this.crashAfterMs !== null) this.#later(this.crashAfterMs, () => this.crash())
  }

  #leave(state: ReplicaStatus['state'], code: number | null = 1): void {
    this.state = state
    this.pid = null
    this.startedAt = null
    this.#turn++
    this.#lastExit = { code, signal: null, at: this.#ground.clock.now(), lastLines: [] }
  }

  /** Does something after a while, if nothing else came in between and somebody still watches. */
  #later(afterMs: number, act: () => void): void {
    const turn = ++this.#turn
    void this.#ground.clock.sleep(afterMs).then(() => {
      if (turn === this.#turn && this.#ground.isWatched()) act()
    })
  }

  #record(parts: Omit<EventParts, 'subject'>): void {
    this.#ground.record({ ...parts, subject: this.spec.id })
  }
}
