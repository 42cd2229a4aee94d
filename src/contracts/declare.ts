import type { z } from 'zod'
import type { AnswerKind, FactDeclaration, OperationDeclaration } from '../kernel/std/index.ts'

/** An operation as it is written down; what is left out takes the default of `declareOperation`. */
interface OperationParts<Name extends string, Input, Output, Answers> extends Pick<
  OperationDeclaration,
  'summary' | 'permission'
> {
  readonly name: Name
  readonly input: Input
  readonly output: Output
  /** Default `value`. */
  readonly answers?: Answers
  /** Default `none`. */
  readonly danger?: OperationDeclaration['danger']
  /** Default `120/min per caller burst 60`. */
  readonly limit?: string
  readonly sensitive?: readonly string[]
  readonly command?: OperationDeclaration['command']
  /** Default: whatever changes something has a form. */
  readonly form?: boolean
}

/** An operation with its zod schemas, for doors that print or document them. */
export interface Operation<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Answers extends AnswerKind = AnswerKind,
> extends Omit<
  OperationDeclaration<z.output<Input>, z.output<Output>>,
  'name' | 'input' | 'output' | 'answers'
> {
  readonly name: Name
  readonly input: Input
  readonly output: Output
  readonly answers: Answers
}

/** Declares an operation once, for every door. */
export function declareOperation<
  const Name extends string,
  Input extends z.ZodType,
  Output extends z.ZodType,
  const Answers extends AnswerKind = 'value',
>(parts: OperationParts<Name, Input, Output, Answers>): Operation<Name, Input, Output, Answers> {
  return {
    danger: 'none',
    limit: '120/min per caller burst 60',
    sensitive: [],
    form: (parts.danger ?? 'none') !== 'none',
    ...parts,
    answers: parts.answers ?? ('value' as Answers),
  }
}

/** Declares a kind of fact. */
export function declareFact<const Data extends z.ZodType>(parts: {
  readonly kind: string
  readonly says: string
  readonly severity?: FactDeclaration['severity']
  readonly data: Data
}): FactDeclaration<z.output<Data>> & { readonly data: Data } {
  return { severity: 'info', ...parts }
}
