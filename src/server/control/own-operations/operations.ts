import { inputJsonSchema, operationsOperations } from '../../../contracts/index.ts'
import type { OperationBinding } from '../../../kernel/capability/index.ts'
import type { OperationDeclaration, OutputOf } from '../../../kernel/std/index.ts'
import { permits } from '../stages/index.ts'
import { bindHouse } from './bind.ts'

type Listed = OutputOf<typeof operationsOperations.list>['operations'][number]

/** What does not depend on the caller. */
function describe(operation: OperationDeclaration): Omit<Listed, 'permitted'> {
  const { name, summary, answers, danger, permission, limit, form } = operation
  const role = permission === 'public' ? null : permission
  const inputSchema = inputJsonSchema(operation) as Listed['inputSchema']
  return { name, summary, answers, danger, permission, limit, form, role, inputSchema }
}

/** Binds the list of what the house can do; `operations` is asked once, at the first call. */
export function bindOperationsList(operations: () => readonly OperationDeclaration[]): OperationBinding {
  const described = new Map<string, Omit<Listed, 'permitted'>>()
  const describeOnce = (operation: OperationDeclaration): Omit<Listed, 'permitted'> => {
    const known = described.get(operation.name) ?? describe(operation)
    described.set(operation.name, known)
    return known
  }
  return bindHouse(operationsOperations.list, (_, { caller }) =>
    Promise.resolve({
      operations: operations().map((operation) => ({
        ...describeOnce(operation),
        permitted: permits(caller.permission, operation.permission),
      })),
    }),
  )
}
