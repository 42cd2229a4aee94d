import type { Engine } from '../../../src/capabilities/environment/ports.ts'
import {
  bareEvent,
  supervisorEvent,
  supervisorStatus,
  type DesiredReplicas,
  type SupervisorEvent,
  type SupervisorStatus,
} from '../../../src/contracts/supervisor.ts'
import { HoldfastError, type Clock } from '../../../src/kernel/std/index.ts'
import { allocate } from '../../../src/providers/local-engine/allocate.ts'
import type { Chance } from './chance.ts'
import type { Effects } from './effects.ts'
import type { Life } from './life.ts'
import { FakeReplica, type EventParts } from './replica.ts'

/** An event, and whether the engine may have lost it before anybody read it. */
export interface SeenEvent {
  readonly event: SupervisorEvent
  excused: boolean
}

/** What a real engine waits when there are no events, and how long its client waits for an answer. */
const pollMs = 10_000
const timeoutMs = 5000
const ambiguousMs = 90_000

/** A supervisor that does what its contract says, and every evil that the contract allows. */
export class FakeEngine {
  /** Everything that ever happened, also what was lost. */
  readonly seen: SeenEvent[] = []
  readonly replicas = new Map<string, FakeReplica>()
  /** Null: dead. */
  startedAt: number | null = null
  /** Answers take long, or until the client gives up. */
  slow = false
  /** One answer in so many gets lost after the deed; 0: none. */
  losesAnswers = 0
  /** Told of each replica that is made, to say how it behaves, and of each that goes. */
  onMade: (replica: FakeReplica) => void = () => undefined
  onGone: (replica: FakeReplica) => void = () => undefined
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #effects: Effects
  #log: SupervisorEvent[] = []
  #pids = 100
  #waiters = new Set<() => void>()
  /** Until then whoever asks may mean a number of before the loss. */
  #ambiguousUntilMs = 0

  constructor(clock: Clock, chance: Chance, effects: Effects) {
    this.#clock = clock
    this.#chance = chance
    this.#effects = effects
    this.start('survived')
  }

  /** The supervisor comes (back); replicas are adopted or, if they died meanwhile, started anew. */
  start(replicas: 'survived' | 'died'): void {
    if (this.startedAt !== null) return
    this.startedAt = this.#clock.now()
    this.#record({ what: 'supervisor-started', subject: 'supervisor', pid: 1 })
    for (const replica of this.replicas.values()) replica.adopt(replicas === 'survived')
  }

  /** The supervisor is killed. */
  die(): void {
    this.startedAt = null
    this.#wake()
  }

  /** Its events are lost; numbers start again from 1. */
  loseEvents(): void {
    this.#log = []
    this.#ambiguousUntilMs = this.#clock.monotonicMs() + ambiguousMs
    for (const seen of this.seen) seen.excused = true
  }

  /** The oldest events give way, as when control was dead for very long. */
  forgetOldest(): void {
    const gone = new Set(this.#log.splice(0, Math.floor(this.#log.length / 2)))
    for (const seen of this.seen) if (gone.has(seen.event)) seen.excused = true
  }

  /** The process of control or the edge came or went. */
  recordProcess(what: 'process-started' | 'process-crashed', subject: 'control' | 'edge'): void {
    this.#pids++
    if (this.startedAt !== null) this.#record({ what, subject, pid: this.#pids, code: 9 })
  }

  /** The engine as one life of control reaches it. */
  portFor(life: Life): Engine {
    const ask = <T>(act: () => T | Promise<T>): Promise<T> => life.guard(() => this.#answer(act))
    const does = <T>(name: string, act: () => T): Promise<T> => ask(() => this.#effects.pass(life, name, act))
    return {
      runs: 'programs',
      choosesReplica: true,
      status: () => ask(() => this.status()),
      run: (groups) => does('tell the engine', () => this.#run(allocate(groups, this.status().replicas))),
      restart: (id) => does(`restart ${id}`, () => this.#restart(id)),
      events: ({ supervisor: after }, signal) => life.guard(() => this.#events(after, signal)),
    }
  }

  /** Errors: `supervisor.unreachable`, while it is dead. */
  mustRun(): void {
    if (this.startedAt === null) throw unreachable('nobody listens')
  }

  status(): SupervisorStatus {
    return supervisorStatus.parse({
      pid: 1,
      version: '1',
      startedAt: this.startedAt ?? 0,
      processes: [],
      replicas: [...this.replicas.values()].map((replica) => replica.status()),
      notes: [],
    })
  }

  async #answer<T>(act: () => T | Promise<T>): Promise<T> {
    await this.#clock.sleep(this.#chance.between(0, 30))
    this.mustRun()
    const value = await act()
    const late = this.slow ? this.#chance.between(500, 9000) : 0
    await this.#clock.sleep(Math.min(late, timeoutMs))
    const lost = this.losesAnswers > 0 && this.#chance.oneIn(this.losesAnswers)
    if (late > timeoutMs || lost || this.startedAt === null) throw unreachable('no answer came')
    return value
  }

  #run({ replicas, keep }: DesiredReplicas): SupervisorStatus {
    const wanted = new Set([...replicas.map(({ id }) => id), ...keep])
    for (const [id, replica] of this.replicas) {
      if (wanted.has(id)) continue
      this.replicas.delete(id)
      this.onGone(replica)
    }
    for (const spec of replicas) {
      if (this.replicas.has(spec.id)) continue
      const ground = {
        clock: this.#clock,
        chance: this.#chance,
        record: (parts: EventParts) => this.#record(parts),
        isWatched: () => this.startedAt !== null,
        nextPid: () => ++this.#pids,
      }
      const replica = new FakeReplica(spec, ground)
      this.onMade(replica)
      this.replicas.set(spec.id, replica)
    }
    return this.status()
  }

  #restart(id: string): void {
    const replica = this.replicas.get(id)
    if (replica === undefined) throw new Error(`there is no ${id}`)
    replica.restart()
  }

  async #events(after: number, signal: AbortSignal): Promise<readonly SupervisorEvent[]> {
    const untilMs = this.#clock.monotonicMs() + pollMs
    for (;;) {
      const found = await this.#answer(() => this.#after(after))
      if (found.length > 0 || this.#clock.monotonicMs() >= untilMs) return found
      await this.#changed(untilMs - this.#clock.monotonicMs(), signal)
      signal.throwIfAborted()
    }
  }

  /** A number beyond the newest reads from the start, as the real log does. */
  #after(number: number): readonly SupervisorEvent[] {
    const from = number > (this.#log.at(-1)?.number ?? 0) ? 0 : number
    if (this.#clock.monotonicMs() < this.#ambiguousUntilMs) this.#excuseUpTo(from)
    return this.#log.filter((event) => event.number > from).slice(0, 500)
  }

  /** Who asks with a number of before the loss that was reached again meanwhile misses what lies below it. */
  #excuseUpTo(number: number): void {
    const below = new Set(this.#log.filter((event) => event.number <= number))
    for (const seen of this.seen) if (below.has(seen.event)) seen.excused = true
  }

  async #changed(waitMs: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController()
    const wake = (): void => done.abort()
    this.#waiters.add(wake)
    const either = AbortSignal.any([signal, done.signal])
    await this.#clock.sleep(waitMs, either).catch(() => undefined)
    this.#waiters.delete(wake)
  }

  #wake(): void {
    for (const wake of this.#waiters) wake()
  }

  #record(parts: EventParts): void {
    const number = (this.#log.at(-1)?.number ?? 0) + 1
    const event = supervisorEvent.parse({ ...bareEvent, ...parts, number, at: this.#clock.now() })
    this.#log.push(event)
    this.seen.push({ event, excused: false })
    this.#wake()
  }
}

function unreachable(message: string): HoldfastError {
  return new HoldfastError({ code: 'supervisor.unreachable', kind: 'operational', message })
}
