import type { Operation, OperationName } from '../../contracts/index.ts'
import type { Clock } from '../../kernel/std/index.ts'
import type { Flag, Parsed } from '../arguments/index.ts'
import type { Directions, Door } from '../control/index.ts'
import type { Voice } from '../output/index.ts'

/** An operation whose name is one of the catalogue's. */
export type NamedOperation = Operation & { readonly name: OperationName }

/** What a command finds around it. */
export interface Surroundings {
  readonly voice: Voice
  readonly directions: Directions
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal
  /** Somebody can be asked. */
  readonly interactive: boolean
  /** Connects to control. */
  readonly open: (directions: Directions) => Promise<Door>
  /** All of standard input, for `--input -`. */
  readonly readInput: () => Promise<string>
}

/** What every command is to the command line: words, and what may follow them. */
export interface Command {
  /** After `holdfast`, as `timeline verify`. */
  readonly words: string
  /** One sentence, imperative, without a full stop. */
  readonly summary: string
  /** Where the overview lists it. */
  readonly group: 'start' | 'look' | 'change' | 'more'
  readonly positional: readonly string[]
  readonly flags: readonly Flag[]
  /** Takes any number of further arguments. */
  readonly rest?: boolean | undefined
  /** Further lines for its help. */
  readonly details?: readonly string[] | undefined
  /** The operation that it is a projection of. */
  readonly operation?: NamedOperation | undefined
  /** Resolves to the exit code. */
  readonly run: (parsed: Parsed, surroundings: Surroundings) => Promise<number>
}

/** A text of a parsed command line, when it was given. */
export function textOf({ values }: Parsed, field: string): string | undefined {
  const value = values[field]
  return typeof value === 'string' ? value : undefined
}

/** A number of a parsed command line, when it was given. */
export function numberOf({ values }: Parsed, field: string): number | undefined {
  const value = values[field]
  return typeof value === 'number' ? value : undefined
}

/** Whether a switch was given. */
export function isSet({ values }: Parsed, field: string): boolean {
  return values[field] === true
}
