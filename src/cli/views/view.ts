import type { OperationName, Operations } from '../../contracts/index.ts'
import type { Paper } from '../output/index.ts'

/** Draws what an operation answers (for a stream, one item) as lines. */
export type View<Name extends OperationName> = (
  answer: Operations[Name]['output'],
  paper: Paper,
) => readonly string[]

/** Views by the name of the operation; what has none is drawn generically. */
export type Views = { readonly [Name in OperationName]?: View<Name> }
