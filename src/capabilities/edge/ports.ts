import type { EdgePolicy, EdgeReports, EdgeState } from '../../contracts/edge-policy.ts'

/** The process that serves traffic, as control sees it. Errors of all: `edge.unreachable`. */
export interface DataPlane {
  state(): Promise<EdgeState>
  /** Makes the edge take on a policy; it is on its disk when this resolves. Errors: `edge.policy-refused`. */
  apply(policy: EdgePolicy): Promise<EdgeState>
  /** Reports after this number, oldest first; waits some seconds when there are none. */
  reports(after: number, signal: AbortSignal): Promise<EdgeReports>
}

/** A service and who answers for it. */
export interface UpstreamState {
  readonly name: string
  readonly targets: readonly { readonly id: string; readonly origin: string }[]
  /** Path of its health check; null: a TCP connection is enough. */
  readonly healthPath: string | null
}

/** Who answers for the services, now and whenever that changes. */
export interface Upstreams {
  current(): readonly UpstreamState[]
  /** Calls the listener after every change. */
  subscribe(listener: () => void): void
}

/** What the edge needs from outside. */
export interface EdgePorts {
  readonly dataPlane: DataPlane
  readonly upstreams: Upstreams
}
