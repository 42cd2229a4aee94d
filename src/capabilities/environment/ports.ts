import type { DesiredReplicas, SupervisorEvent, SupervisorStatus } from '../../contracts/supervisor.ts'

/** What runs replicas. Errors: `supervisor.unreachable`. */
export interface Engine {
  status(): Promise<SupervisorStatus>
  /** Makes exactly these replicas run; answers at once, the rest is seen in `status` and `events`. */
  run(desired: DesiredReplicas): Promise<SupervisorStatus>
  /** Stops and starts one replica; also revives a crash-looped one. */
  restart(replicaId: string): Promise<void>
  /** Events after this number, oldest first; waits some seconds when there are none. */
  events(after: number, signal: AbortSignal): Promise<readonly SupervisorEvent[]>
}

/** What a look at an address found. */
export interface ProbeResult {
  readonly healthy: boolean
  /** Why not, in words; empty when healthy. */
  readonly detail: string
}

/** Looks whether something at an address is well; never throws. */
export interface Prober {
  /** `origin` as http://127.0.0.1:3000; `path` null: a TCP connection is enough. */
  probe(origin: string, path: string | null, timeoutMs: number): Promise<ProbeResult>
}

/** The end of a log. */
export interface LogTail {
  /** Oldest first. */
  readonly lines: readonly string[]
  /** Where the file ended, bytes: give it to `follow` to miss nothing. */
  readonly end: number
}

/** Reads what replicas wrote. */
export interface LogReader {
  /**
   * The last `lines` lines, rotation notwithstanding; fewer when there are fewer, or when they are very long; none when
   * there is no file. Of a very long line the end is given.
   */
  tail(file: string, lines: number): Promise<LogTail>
  /**
   * Lines from byte `from` on, as they come, until the signal aborts. A very long line comes in pieces. What was
   * written but not yet read when the file is truncated is lost.
   */
  follow(file: string, from: number, signal: AbortSignal): AsyncIterable<string>
}

/** What the environment needs from outside. */
export interface EnvironmentPorts {
  readonly engine: Engine
  readonly prober: Prober
  readonly logs: LogReader
  /** Whether a program can be started from a directory: it is on PATH, or a path to an executable file. */
  readonly canRun: (program: string, directory: string) => Promise<boolean>
  /** The variables in which `holdfast up` was started. */
  readonly hostVariables: Readonly<Record<string, string>>
  /** What the replicas of a service are told beside that: where control is, and a token to ask it with. */
  readonly givenVariables: (service: string) => Readonly<Record<string, string>>
}

/** Who answers for a service; the edge sends requests there. */
export interface ServiceEndpoints {
  readonly name: string
  readonly targets: readonly { readonly id: string; readonly origin: string }[]
  readonly healthPath: string | null
}
