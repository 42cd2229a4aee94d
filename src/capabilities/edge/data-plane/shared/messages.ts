import type { EdgePolicy, SenderMinute } from '../../../../contracts/edge-policy.ts'
import type { PlainError } from '../../../../kernel/std/index.ts'
import type { Offenders } from '../../offenders/index.ts'

/** A certificate chain and its key, PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** A place to listen: an inherited descriptor, or an address that the thread opens itself. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly descriptor: number | null
}

/** What proofs of identity are checked with, and what this edge proves its own with; secret, and in no policy. */
export interface IdentityMaterial {
  /** Public keys (RFC 7517); null: none are known yet. */
  readonly jwks: { readonly keys: readonly object[] } | null
  /** Name of each API key by its SHA-256, hex. */
  readonly apiKeys: Readonly<Record<string, string>>
  readonly sessionSecrets: readonly string[]
  /** Of passports. */
  readonly passportKey: Uint8Array
  /** Of the store of shared counters; empty: none is needed, or it is not known yet. */
  readonly counterPassword: string
}

/** What a thread is born with. */
export interface ThreadGround {
  readonly thread: number
  readonly threads: number
  readonly targets: SharedArrayBuffer
  /** Of the limiter; secret. */
  readonly seed: readonly [number, number]
  /** Of the thread's own choices. */
  readonly randomSeed: number
  readonly pseudonym: string
  /** What the limiter's time is ahead of the monotonic clock, which all threads share: no jump of the wall clock moves it. */
  readonly timeOriginMs: number
  /** In the order of `EdgePolicy.listeners` of the first policy. */
  readonly places: readonly Place[]
  /** The module that opens the store of shared counters; null: there is none. */
  readonly counterStore: string | null
}

/** A policy with everything that was prepared for it once for all threads. */
export interface Handout {
  readonly number: number
  readonly policy: EdgePolicy
  readonly limiter: SharedArrayBuffer
  readonly counters: SharedArrayBuffer
  /** Slot of each target, by upstream and target, in the order of the policy. */
  readonly slots: readonly (readonly number[])[]
  /** By listener; null: no TLS. */
  readonly keyPairs: readonly (KeyPair | null)[]
  readonly identity: IdentityMaterial
  /** This edge's part of the limits that edges share; null: none are. */
  readonly alone: SharedArrayBuffer | null
}

/** What the main thread says to a thread. */
export type ToThread =
  | { readonly say: 'prepare'; readonly handout: Handout }
  | { readonly say: 'swap'; readonly number: number }
  | { readonly say: 'key-pairs'; readonly keyPairs: Handout['keyPairs'] }
  | { readonly say: 'identity'; readonly identity: IdentityMaterial }
  | { readonly say: 'drain'; readonly deadlineMs: number }

/** What a thread answers, or says by itself. */
export type FromThread =
  | { readonly say: 'prepared'; readonly number: number; readonly trouble: PlainError | null }
  | { readonly say: 'serving'; readonly number: number; readonly ports: readonly number[] }
  | { readonly say: 'failed'; readonly trouble: PlainError }
  | { readonly say: 'drained' }
  | ThreadNews

/** What a thread says without being asked. */
export type ThreadNews =
  /** A token names a public key that is not known. */
  | { readonly say: 'unknown-key' }
  /** Private peers that speak for others and are not trusted, with their requests since the last time. */
  | { readonly say: 'look-alikes'; readonly peers: readonly LookAlike[] }
  /** The store of shared counters was lost, or is back. */
  | { readonly say: 'counters'; readonly thread: number; readonly isUp: boolean; readonly why: string }
  | { readonly say: 'shared-refusals'; readonly refusals: SharedRefusals }
  /** Whom limits refused since the last time, and who came near. */
  | ({ readonly say: 'offenders' } & Offenders)
  /** Who sent most requests in a minute that has ended. */
  | { readonly say: 'senders'; readonly senders: readonly SenderMinute[] }

/** What the shared counters refused, of what the edge's own table had admitted, since the last time. */
export type SharedRefusals = readonly {
  readonly name: string
  readonly rule: string
  readonly refused: number
}[]

/** A peer that may be a proxy that nobody trusts. */
export interface LookAlike {
  readonly address: string
  readonly requests: number
}

/** Limits that the limiter's table remembers: those of several policies of the largest size. */
export const limitCapacity = 16_384
