import type { EdgePolicy, EdgeReport, EdgeState } from '../../contracts/edge-policy.ts'
import { HoldfastError, type VirtualClock } from '../../kernel/std/index.ts'
import type { DataPlane } from './ports.ts'

/** An edge that takes every policy and reports what it is told to. */
export class FakeEdge implements DataPlane {
  readonly applied: EdgePolicy[] = []
  reportsKept: EdgeReport[] = []
  isDead = false
  refusal: HoldfastError | null = null
  edgeId = 'edge-1'
  revision: string | null = null
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  async state(): Promise<EdgeState> {
    this.#alive()
    return { edgeId: this.edgeId, pid: 1, threads: 1, startedAt: 0, revision: this.revision, notes: [] }
  }

  async apply(policy: EdgePolicy): Promise<EdgeState> {
    this.#alive()
    if (this.refusal !== null) throw this.refusal
    this.applied.push(policy)
    this.revision = policy.revision
    return this.state()
  }

  async reports(after: number, signal: AbortSignal) {
    this.#alive()
    const found = () => this.reportsKept.filter(({ number }) => number > after)
    if (found().length === 0) await this.#clock.sleep(1000, signal)
    return { edgeId: this.edgeId, reports: found() }
  }

  report(parts: Partial<EdgeReport> = {}): void {
    const number = (this.reportsKept.at(-1)?.number ?? 0) + 1
    const { edgeId } = this
    const quiet = { connections: 1, routes: [], limits: [], unhealthyTargets: [], happened: [] }
    this.reportsKept.push({ number, edgeId, at: this.#clock.now() - 1000, revision: 'r', ...quiet, ...parts })
  }

  #alive(): void {
    if (this.isDead)
      throw new HoldfastError({ code: 'edge.unreachable', kind: 'operational', message: 'gone' })
  }
}
