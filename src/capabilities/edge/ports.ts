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

/** Where the edge process gets what proofs of identity are checked with. Errors of all: the system's. */
export interface IdentityStore {
  /** Signs passports; 32 bytes, secret, the same after a restart. */
  readonly passportKey: Uint8Array
  /** A variable of the process; undefined: it is not set. */
  variable(name: string): string | undefined
  /** Text of a file, at most 1 MiB. */
  read(file: string): Promise<string>
  /** Body of an answer of class 2xx over https, at most 1 MiB; waits up to 5 s. */
  fetch(address: string): Promise<string>
  /** What was fetched from there last, by this process or an earlier one; null: nothing. */
  remembered(address: string): string | null
  remember(address: string, text: string): void
}

/** What the edge needs from outside. */
export interface EdgePorts {
  readonly dataPlane: DataPlane
  readonly upstreams: Upstreams
}
