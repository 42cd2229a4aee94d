import { inputJsonSchema } from '../../contracts/index.ts'
import { flagsFromSchema, type Flag } from '../arguments/index.ts'
import { textOf, type Command, type NamedOperation } from './command.ts'
import { perform } from './perform.ts'

/** A flag of every command that starts a job. */
export const jobFlag: Flag = {
  name: 'idempotency-key',
  field: 'idempotencyKey',
  kind: 'text',
  means: 'asked twice with the same key within a day, it is done once',
}

function groupOf(operation: NamedOperation): Command['group'] {
  return operation.danger === 'none' ? 'look' : 'change'
}

function detailsOf({ name, permission, limit, danger, answers }: NamedOperation): readonly string[] {
  const dangers = {
    none: 'changes nothing',
    changes: 'changes something, and a fact says so',
    destroys: 'destroys something, and a fact says so',
  }
  const manners = { value: 'an answer', stream: 'a stream', job: 'a job with progress' }
  return [
    `Operation ${name}: ${manners[answers]}; ${dangers[danger]}.`,
    `Needs the permission "${permission}"; limited to ${limit}.`,
  ]
}

/** The command of an operation that has a form for the command line. */
export function operationCommand(operation: NamedOperation, words: string): Command {
  const flags = flagsFromSchema(inputJsonSchema(operation))
  const isJob = operation.answers === 'job'
  return {
    words,
    summary: operation.summary,
    group: groupOf(operation),
    positional: operation.command?.positional ?? [],
    flags: isJob ? [...flags, jobFlag] : flags,
    details: detailsOf(operation),
    operation,
    run: (parsed, surroundings) => {
      const { [jobFlag.field]: _, ...input } = parsed.values
      const idempotencyKey = isJob ? textOf(parsed, jobFlag.field) : undefined
      return perform(operation, { input: isJob ? input : parsed.values, idempotencyKey }, surroundings)
    },
  }
}
