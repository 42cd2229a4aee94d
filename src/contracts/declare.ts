import type { z } from 'zod'
import type { FactDeclaration, OperationDeclaration } from '../kernel/std/index.ts'

/** An operation as it is written down; what is left out takes the default of `declareOperation`. */
export interface OperationParts<Input extends z.ZodType, Output extends z.ZodType> extends Pick<
  OperationDeclaration,
  'name' | 'summary' | 'permission'
> {
  readonly input: Input
  readonly output: Output
  /** Default `value`. */
  readonly answers?: OperationDeclaration['answers']
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
export type Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> = Omit<
  OperationDeclaration<z.output<Input>, z.output<Output>>,
  'input' | 'output'
> & { readonly input: Input; readonly output: Output }

/** Declares an operation once, for every door. */
export function declareOperation<const Input extends z.ZodType, const Output extends z.ZodType>(
  parts: OperationParts<Input, Output>,
): Operation<Input, Output> {
  return {
    answers: 'value',
    danger: 'none',
    limit: '120/min per caller burst 60',
    sensitive: [],
    form: (parts.danger ?? 'none') !== 'none',
    ...parts,
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
