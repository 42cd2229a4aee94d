import type { ProcessStatus } from '../../../contracts/supervisor.ts'
import type { Clock } from '../../../kernel/std/index.ts'
import type { EndableFamily, Ender } from '../machine/end-family.ts'
import type { ProcessUser } from '../machine/as-user.ts'
import { launch, type Exit, type Launched } from '../machine/launch.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import type { PlannedProcess } from '../plan.ts'
import type { EventParts } from '../records/event-log.ts'
import { lastLines } from '../records/last-lines.ts'
import { decideDelay } from './back-off.ts'
import { PROCESS_MARK, type ProcessRecord } from './process-file.ts'

/** What a keeper works with. */
export interface KeeperParts {
  readonly clock: Clock
  readonly table: ProcessTable
  readonly ender: Ender
  /** Path of the runtime. */
  readonly node: string
  /** Working directory, absolute. */
  readonly directory: string
  /** See `environmentHash`. */
  readonly environment: string
  /** Variables that each process gets besides its own. */
  readonly variables: Readonly<Record<string, string>>
  readonly logFile: string
  /** Whom it runs as; null: as we do. */
  readonly user: ProcessUser | null
  readonly record: (event: EventParts) => void
  /** Called when a process was started or is gone. */
  readonly changed: () => void
}

const EVENT_LINES = 20
const DEFAULT_STOP_MS = 10_000

/** Keeps control or the edge alive. */
export class Keeper {
  readonly plan: PlannedProcess
  readonly #parts: KeeperParts
  readonly #stopping = new AbortController()
  #current: (Launched & { readonly startedAt: number; readonly startedAtMs: number }) | null = null
  #restarts = 0
  #shortLives = 0
  #loop: Promise<void> = Promise.resolve()
  #usage: Pick<ProcessStatus, 'cpu' | 'memoryBytes'> = { cpu: null, memoryBytes: null }

  constructor(plan: PlannedProcess, parts: KeeperParts) {
    this.plan = plan
    this.#parts = parts
  }

  /** Starts it, and again whenever it ends. */
  start(): void {
    this.#loop = this.#keep()
  }

  /** SIGTERM, time to drain, SIGKILL. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const current = this.#current
    if (current !== null) {
      await this.#parts.ender.end(this.#family(current), this.plan.stopTimeoutMs ?? DEFAULT_STOP_MS)
    }
    await this.#loop
  }

  get current(): { readonly pid: number } | null {
    return this.#current
  }

  measured(usage: Pick<ProcessStatus, 'cpu' | 'memoryBytes'>): void {
    this.#usage = usage
  }

  runRecord(): ProcessRecord | null {
    const current = this.#current
    return current === null ? null : { name: this.plan.name, pid: current.pid, birth: current.birth }
  }

  status(): ProcessStatus {
    const current = this.#current
    const idle = this.#stopping.signal.aborted ? 'stopped' : 'waiting'
    return {
      name: this.plan.name,
      state: current === null ? idle : 'running',
      pid: current?.pid ?? null,
      startedAt: current?.startedAt ?? null,
      restarts: this.#restarts,
      cpu: current === null ? null : this.#usage.cpu,
      memoryBytes: current === null ? null : this.#usage.memoryBytes,
    }
  }

  async #keep(): Promise<void> {
    const { clock } = this.#parts
    while (!this.#stopping.signal.aborted) {
      const beganAtMs = clock.monotonicMs()
      const end = await this.#live()
      if (this.#stopping.signal.aborted) return
      const life = { lifeMs: clock.monotonicMs() - beganAtMs, orderly: end.code === 0 }
      const decision = decideDelay(life, this.#shortLives)
      this.#shortLives = decision.shortLives
      // A reload is a restart of control.
      if (end.code !== 0) this.#event({ ...end, what: 'process-crashed', restartInMs: decision.delayMs })
      await clock.sleep(decision.delayMs, this.#stopping.signal).catch(() => undefined)
      this.#restarts++
    }
  }

  /** One life; answers what is to be said of its end. */
  async #live(): Promise<Partial<EventParts>> {
    const { clock, table, logFile } = this.#parts
    let launched: Launched
    try {
      launched = await launch(this.#request(), table)
    } catch (error) {
      return { detail: `could not be started: ${(error as Error).message}` }
    }
    this.#current = { ...launched, startedAt: clock.now(), startedAtMs: clock.monotonicMs() }
    this.#parts.changed()
    this.#event({ what: 'process-started', pid: launched.pid })
    if (this.#stopping.signal.aborted) void this.#parts.ender.end(this.#family(launched), DEFAULT_STOP_MS)
    const exit = await launched.exited
    const lines = lastLines(logFile, EVENT_LINES, launched.logOffset)
    if (!this.#stopping.signal.aborted) await this.#parts.ender.kill(this.#family(launched))
    this.#current = null
    this.#parts.changed()
    return { pid: launched.pid, ...exit, detail: sayEnd(exit), lastLines: [...lines] }
  }

  #request(): Parameters<typeof launch>[0] {
    const { node, directory, variables, environment, logFile, user } = this.#parts
    const { script, arguments: rest, descriptors, name } = this.plan
    const mark = { [PROCESS_MARK]: `${environment}/${name}` }
    return {
      command: [node, script, ...rest],
      directory,
      variables: { ...variables, ...this.plan.variables, ...mark },
      descriptors,
      logFile,
      joinFiles: [],
      user,
    }
  }

  #family(launched: Launched): EndableFamily {
    const value = `${this.#parts.environment}/${this.plan.name}`
    const mark = { name: PROCESS_MARK, value }
    return { pid: launched.pid, birth: launched.birth, mark, groupPids: () => [] }
  }

  #event(parts: Omit<EventParts, 'subject'>): void {
    this.#parts.record({ ...parts, subject: this.plan.name })
  }
}

const sayEnd = (exit: Exit): string =>
  exit.signal === null ? `ended with code ${exit.code}` : `killed by ${exit.signal}`
