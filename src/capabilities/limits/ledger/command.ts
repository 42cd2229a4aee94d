import type { JsonObject } from '../../../kernel/std/index.ts'

/** What a take names, as { user: '42' }. */
export type By = { readonly [dimension: string]: string }

type Timed = {
  /** When it was decided, milliseconds of the ledger's time. */
  readonly at: number
}

type Subject = {
  /** Without `app.`. */
  readonly limit: string
  readonly by: By
  /** The subject whose override decides instead of the limit's own rules; null: none. */
  readonly override: string | null
}

type Asking = Timed & Subject

/** One of several takes; `id` null: nothing is remembered. */
export type Part = Subject & { readonly cost: number; readonly id: string | null }
/** Takes units. */
export type TakeCommand = Timed & Part & { readonly does: 'take' }
/** Takes from all or from none; it is remembered when each of them has an id. */
export type TakeAllCommand = Timed & { readonly does: 'takeAll'; readonly takes: readonly Part[] }
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
export type CommitCommand = Timed & {
  readonly does: 'commit'
  readonly id: string
  readonly cost: number | null
}
/** Gives back what a reservation took. */
export type CancelCommand = Timed & { readonly does: 'cancel'; readonly id: string }
/** Prolongs a reservation. */
export type RenewCommand = Timed & { readonly does: 'renew'; readonly id: string; readonly leaseMs: number }

/** What the ledger is asked to do. What changed something is written down and done again after a restart. */
export type Command =
  | TakeCommand
  | TakeAllCommand
  | LeaseCommand
  | ReserveCommand
  | RefundCommand
  | CommitCommand
  | CancelCommand
  | RenewCommand

/** What a command takes and might be refused. */
export function takesOf(command: Command): readonly Pick<Part, 'limit' | 'by' | 'override' | 'cost'>[] {
  if (command.does === 'takeAll') return command.takes
  return command.does === 'take' || command.does === 'reserve' ? [command] : []
}

/** The command without the limits that there are no more; null: nothing is left of it. */
export function keepKnown(command: Command, isKnown: (limit: string) => boolean): Command | null {
  if (command.does !== 'takeAll') return !('limit' in command) || isKnown(command.limit) ? command : null
  const takes = command.takes.filter(({ limit }) => isKnown(limit))
  return takes.length === 0 ? null : { ...command, takes }
}

/** A command as an entry of the journal. */
export function entryOf(command: Command): string {
  return JSON.stringify(command)
}

/** The command of an entry that we wrote; its checksum has been checked. */
export function commandOf(entry: string): Command {
  return JSON.parse(entry) as JsonObject as Command
}
