import type { JsonObject } from '../../../kernel/std/index.ts'

/** What a take names, as { user: '42' }. */
export type By = { readonly [dimension: string]: string }

type Asking = {
  /** When it was decided, milliseconds of the ledger's time. */
  readonly at: number
  /** Without `app.`. */
  readonly limit: string
  readonly by: By
  /** The subject whose override decides instead of the limit's own rules; null: none. */
  readonly override: string | null
}

/** Takes units; `id` null: nothing is remembered. */
export type TakeCommand = Asking & {
  readonly does: 'take'
  readonly cost: number
  readonly id: string | null
}
/** Takes up to so many units for somebody who spends them locally. */
export type LeaseCommand = Asking & { readonly does: 'lease'; readonly units: number; readonly id: string }
/** Takes units that come back unless they are committed. */
export type ReserveCommand = Asking & {
  readonly does: 'reserve'
  readonly cost: number
  readonly id: string
  readonly leaseMs: number
}
/** Gives units back. */
export type RefundCommand = Asking & { readonly does: 'refund'; readonly cost: number; readonly id: string }
/** Keeps what a reservation took; `cost` null: as it was reserved. */
export type CommitCommand = {
  readonly does: 'commit'
  readonly at: number
  readonly id: string
  readonly cost: number | null
}
/** Gives back what a reservation took. */
export type CancelCommand = { readonly does: 'cancel'; readonly at: number; readonly id: string }
/** Prolongs a reservation. */
export type RenewCommand = {
  readonly does: 'renew'
  readonly at: number
  readonly id: string
  readonly leaseMs: number
}

/** What the ledger is asked to do. What changed something is written down and done again after a restart. */
export type Command =
  TakeCommand | LeaseCommand | ReserveCommand | RefundCommand | CommitCommand | CancelCommand | RenewCommand

/** A command as an entry of the journal. */
export function entryOf(command: Command): string {
  return JSON.stringify(command)
}

/** The command of an entry that we wrote; its checksum has been checked. */
export function commandOf(entry: string): Command {
  return JSON.parse(entry) as JsonObject as Command
}
