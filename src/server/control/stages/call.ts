import type { Job } from '../../../contracts/index.ts'
import type { Caller, JobCall, OperationBinding } from '../../../kernel/capability/index.ts'
import type { OperationDeclaration } from '../../../kernel/std/index.ts'

/** What somebody shows at a door; `address` is the peer's, without a port. */
export interface ShownCredentials {
  readonly bearer: string | null
  /** Value of the console's cookie. */
  readonly session: string | null
  readonly address: string
}

/** A caller from inside the house is known already; anybody else shows credentials. */
export type Credentials = ShownCredentials | { readonly trusted: Caller }

/** Who stands at the door. */
export interface Visitor {
  readonly caller: Caller
  /** Bucket of limits that count by address; an IPv6 address counts as its /64. */
  readonly address: string
  /** SHA-256 of the session's token when the visitor came with one. */
  readonly sessionHash: string | null
}

/** A session that the door has to set (with its token, which nothing else keeps) or to end. */
export type SessionChange =
  { readonly is: 'started'; readonly token: string; readonly expiresAt: number } | { readonly is: 'ended' }

/** One call as it arrives. */
export interface CallRequest {
  readonly operation: string
  readonly input: unknown
  readonly credentials: Credentials
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal
  /** The same key by the same caller gives the same job for 24 hours; 1 to 200 characters. */
  readonly idempotencyKey?: string | undefined
  readonly onSession?: ((change: SessionChange) => void) | undefined
}

/** What the house's own operations see beside what a capability's do. */
export interface HouseCall extends JobCall {
  readonly visitor: Visitor
  readonly changeSession: (change: SessionChange) => void
}

/** A refusal by a limit: a value, not an error. */
export interface Refusal {
  /** Name of the limit. */
  readonly limit: string
  /** In the notation of limits. */
  readonly rule: string
  readonly retryAfterMs: number
}

/** What a call comes to. */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'stream'; readonly items: AsyncIterable<unknown> }
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** A call that is known, valid and on its way. */
export interface Passage {
  readonly binding: OperationBinding
  readonly declaration: OperationDeclaration
  readonly visitor: Visitor
  readonly input: unknown
  readonly correlation: string
  readonly request: CallRequest
}
