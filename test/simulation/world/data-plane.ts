import type { DataPlane } from '../../../src/capabilities/edge/ports.ts'
import {
  edgePolicy,
  edgeReport,
  type EdgePolicy,
  type EdgeReport,
  type EdgeReports,
  type EdgeState,
} from '../../../src/contracts/edge-policy.ts'
import { HoldfastError, type Clock } from '../../../src/kernel/std/index.ts'
import type { Chance } from './chance.ts'
import type { Effects } from './effects.ts'
import type { Life } from './life.ts'

const ringSize = 300
const pollMs = 5000
const noLatency = { count: 0, sum: 0, minimum: 0, maximum: 0, buckets: {} }

/** What an edge stands on. */
interface DataPlaneGround {
  readonly clock: Clock
  readonly chance: Chance
  readonly effects: Effects
  /** Whether a service answers at all. */
  readonly serves: (service: string) => boolean
}

/** An edge process that counts traffic of its own making, and every evil that its contract allows. */
export class FakeDataPlane {
  policy: EdgePolicy | null = null
  up = true
  refuses = false
  losesAnswers = 0
  /** Reports get lost at this rate, one in so many; 0: none. */
  losesReports = 0
  /** Requests that each limit refuses per second while a flood goes on. */
  flood: () => number = () => 0
  /** Whether there are requests at all. */
  busy = true
  /** How often a policy was taken on. */
  applied = 0
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #effects: Effects
  readonly #serves: (service: string) => boolean
  #edgeId = 'edge-1'
  #generation = 1
  #number = 0
  #ring: EdgeReport[] = []
  #waiters = new Set<() => void>()

  constructor({ clock, chance, effects, serves }: DataPlaneGround) {
    this.#clock = clock
    this.#chance = chance
    this.#effects = effects
    this.#serves = serves
    clock.every(1000, () => this.#report())
  }

  /** A new process: numbers start again. It has the policy from its disk, or (a new disk) none. */
  restart(disk: 'kept' | 'new'): void {
    this.#generation++
    this.#edgeId = `edge-${this.#generation}`
    this.#number = 0
    this.#ring = []
    if (disk === 'new') this.policy = null
    this.up = true
    this.#wake()
  }

  die(): void {
    this.up = false
    this.#wake()
  }

  /** The data plane as one life of control reaches it. */
  portFor(life: Life): DataPlane {
    return {
      state: () => life.guard(() => this.#answer(() => this.#state())),
      apply: (policy) =>
        life.guard(() =>
          this.#answer(() => this.#effects.pass(life, 'tell the edge', () => this.#apply(policy))),
        ),
      reports: (after, signal) => life.guard(() => this.#reports(after, signal)),
    }
  }

  async #answer<T>(act: () => T | Promise<T>): Promise<T> {
    await this.#clock.sleep(this.#chance.between(0, 20))
    if (!this.up) throw unreachable()
    const value = await act()
    await this.#clock.sleep(this.#chance.between(0, 20))
    if (!this.up || (this.losesAnswers > 0 && this.#chance.oneIn(this.losesAnswers))) throw unreachable()
    return value
  }

  #state(): EdgeState {
    return {
      edgeId: this.#edgeId,
      pid: this.#generation,
      threads: 1,
      startedAt: 0,
      revision: this.policy?.revision ?? null,
      notes: [],
    }
  }

  #apply(policy: EdgePolicy): EdgeState {
    if (this.refuses) {
      throw new HoldfastError({
        code: 'edge.policy-refused',
        kind: 'operational',
        message: 'the certificate does not load',
      })
    }
    this.policy = edgePolicy.parse(policy)
    this.applied++
    return this.#state()
  }

  async #reports(after: number, signal: AbortSignal): Promise<EdgeReports> {
    const untilMs = this.#clock.monotonicMs() + pollMs
    for (;;) {
      const reports = await this.#answer(() => this.#ring.filter(({ number }) => number > after))
      if (reports.length > 0 || this.#clock.monotonicMs() >= untilMs) return { edgeId: this.#edgeId, reports }
      await this.#changed(untilMs - this.#clock.monotonicMs(), signal)
      signal.throwIfAborted()
    }
  }

  #report(): void {
    if (!this.up) return
    const report = edgeReport.parse({
      number: ++this.#number,
      edgeId: this.#edgeId,
      at: Math.floor(this.#clock.now() / 1000) * 1000,
      revision: this.policy?.revision ?? '',
      connections: 3,
      routes: this.policy === null ? [] : this.policy.routes.map((route) => this.#rollUp(route)),
      limits: (this.policy?.limits ?? []).map(({ name, rule }) => {
        return { name, rule, admitted: 5, refused: this.flood(), wouldRefuse: 0 }
      }),
      unhealthyTargets: [],
      happened: [],
    })
    if (this.losesReports > 0 && this.#chance.oneIn(this.losesReports)) return
    this.#ring = [...this.#ring, report].slice(-ringSize)
    this.#wake()
  }

  #rollUp({ name, upstream }: EdgePolicy['routes'][number]): EdgeReport['routes'][number] {
    const requests = this.busy ? 5 : 0
    const failures = this.#serves(upstream) ? 0 : requests
    return {
      route: name,
      requests,
      classes: [0, requests - failures, 0, 0, failures],
      refused: 0,
      wouldRefuse: 0,
      originFailures: failures,
      bytesIn: requests,
      bytesOut: requests,
      latency: noLatency,
    }
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
}

function unreachable(): HoldfastError {
  return new HoldfastError({
    code: 'edge.unreachable',
    kind: 'operational',
    message: 'the edge of the simulation does not answer',
  })
}
