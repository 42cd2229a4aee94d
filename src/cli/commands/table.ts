import { operationCatalogue } from '../../contracts/index.ts'
import { localCommands, withOffline } from '../local/commands.ts'
import { callCommand } from './call.ts'
import type { Command, NamedOperation } from './command.ts'
import { operationCommand } from './operation-command.ts'

/** Every command that there is: those of this machine, one for each operation that has a form, and `call`. */
export function commandTable(operations: readonly NamedOperation[] = operationCatalogue): readonly Command[] {
  const projected = operations.flatMap((operation) =>
    operation.command === undefined ? [] : [operationCommand(operation, operation.command.words)],
  )
  return [...localCommands, ...projected.map(withOffline), callCommand(operations)]
}
