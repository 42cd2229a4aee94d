import type { OperationBinding } from '../../../kernel/capability/index.ts'
import type { InputOf, OperationDeclaration, OutputOf } from '../../../kernel/std/index.ts'
import type { HouseCall } from '../stages/index.ts'

/** Binds an operation of the house itself, whose code may also see the visitor and change the session. */
export function bindHouse<O extends OperationDeclaration>(
  declaration: O,
  act: (input: InputOf<O>, call: HouseCall) => Promise<OutputOf<O>> | AsyncIterable<OutputOf<O>>,
): OperationBinding {
  return {
    declaration: declaration,
    act: act as unknown as OperationBinding['act'],
  }
}
