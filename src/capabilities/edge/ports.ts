import type { EdgePolicy, EdgeReports, EdgeState } from '../../contracts/edge-policy.ts'
import type { Clock, Random } from '../../kernel/std/index.ts'

/** The process that serves traffic, as control sees it. Errors of all: `edge.unreachable`. */
export interface DataPlane {
  state(): Promise<EdgeState>
  /** Makes the edge take on a policy; it is on its disk when this resolves. Errors: `edge.policy-refused`. */
  apply(policy: EdgePolicy): Promise<EdgeState>
  /** Reports after this number, oldest first; waits some seconds when there are none. */
  reports(after: number, signal: AbortSignal): Promise<EdgeReports>
}

/** One replica that answers for a service. */
export interface UpstreamTargetState {
  readonly id: string
  readonly origin: string
  /** Replicas of one specification; up to 64 characters. They are measured together. Default: empty. */
  readonly group?: string
  /** Share of new requests beside the others', 0 to 1000; 0: none, if any other has more. Default: 100. */
  readonly weight?: number
}

/** A service and who answers for it. */
export interface UpstreamState {
  readonly name: string
  readonly targets: readonly UpstreamTargetState[]
  /** Path of its health check; null: a TCP connection is enough. */
  readonly healthPath: string | null
}

/** Who answers for the services, now and whenever that changes. */
export interface Upstreams {
  current(): readonly UpstreamState[]
  /** Calls the listener after every change. */
  subscribe(listener: () => void): void
  /** Told to which targets the edge sends, by their ids, whenever it has said so. */
  sentTo(targets: ReadonlySet<string>): void
}

/** Where the edge process gets what proofs of identity are checked with. Errors of all: the system's. */
export interface IdentityStore {
  /** Signs passports; 32 bytes, secret, the same after a restart. */
  readonly passportKey: Uint8Array
  /** A variable of the process; undefined: it is not set. */
  variable(name: string): string | undefined
  /** Text of a file, at most 1 MiB. */
  read(file: string): Promise<string>
  /** Body of an answer of class 2xx over http or https, at most 1 MiB; waits up to 5 s. */
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

/** How the store counts one limit, in numbers; units and bounds as those of `LimitRule`. */
export type CounterForm =
  | { readonly kind: 'rate'; readonly count: number; readonly periodMs: number; readonly burst: number }
  | { readonly kind: 'window'; readonly count: number; readonly periodMs: number }
  /**
   * From one reset to the next. `resetsMs` are the four resets around the time of the asker, ascending: the store
   * finds out by its own clock which of the three windows between them it is in.
   */
  | {
      readonly kind: 'calendar'
      readonly count: number
      readonly resetsMs: readonly [number, number, number, number]
    }
  | { readonly kind: 'concurrency'; readonly count: number; readonly leaseMs: number }

/** One counter that something is asked of. */
export interface CounterAsk {
  /** Name and rule of the limit: what is counted. */
  readonly limit: string
  /** For whom; any text. */
  readonly key: string
  readonly form: CounterForm
  /** Units without which it refuses. */
  readonly cost: number
  /** Units that are taken: of a rate, as many as there are, at least `cost`; otherwise equal to it. 0 only looks. */
  readonly want: number
  /** Never refuses; takes nothing when it would have refused, except for concurrency. */
  readonly isDryRun: boolean
  /** For concurrency: under which name the places are held; as no other request in the world calls its own. */
  readonly lease: string
}

/** Where a store of counters is and whose they are. */
export interface CounterStoreOptions {
  readonly url: string
  /** Empty: the store asks for none. */
  readonly password: string
  /** Stands in the name of every counter. */
  readonly environment: string
  readonly clock: Clock
  readonly random: Random
}

/** A module that opens a store; loaded by the threads that need one. */
export interface CounterStoreModule {
  readonly openCounterStore: (options: CounterStoreOptions) => CounterStore
}

/** What came of one ask. */
export interface CounterOutcome {
  /** 0: this counter admits. Otherwise milliseconds to wait; Infinity: the cost is more than it ever admits. */
  readonly waitMs: number
  /** Units left, as if nothing had been refused. */
  readonly remaining: number
  /** Units taken; 0 where any counter refused. */
  readonly granted: number
  /** Milliseconds until it is as if unused, if nobody comes. */
  readonly resetMs: number
}

/**
 * Counters that several edges share. Every operation is one round trip and one atomic step, by the clock of the store.
 * Each rejects with `edge.counters-unreachable` within its time-out when the store does not answer or answers nonsense.
 */
export interface CounterStore {
  /** Takes from all counters or, if one refuses that is no dry run, from none. No counter may be asked twice at once. */
  take(asks: readonly CounterAsk[]): Promise<readonly CounterOutcome[]>
  /** Gives back the places that were taken under the leases of these asks. */
  release(asks: readonly CounterAsk[]): Promise<void>
  /** Prolongs leases by their length; false when one had expired, and then none is prolonged. */
  renew(asks: readonly CounterAsk[]): Promise<boolean>
  /** Resolves when the store answers and accepts writes. */
  probe(): Promise<void>
  /** Connects with this one from the next time on; empty: with none. */
  setPassword(password: string): void
  close(): void
}
