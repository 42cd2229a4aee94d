import { inputJsonSchema } from '../../contracts/index.ts'
import { flagsFromSchema, type Flag } from '../arguments/index.ts'
import { compares } from '../views/index.ts'
import { isSet, textOf, type Command, type NamedOperation } from './command.ts'
import { perform } from './perform.ts'

/** A flag of every command that starts a job. */
export const jobFlag: Flag = {
  name: 'idempotency-key',
  field: 'idempotencyKey',
  kind: 'text',
  means: 'asked twice with the same key within a day, it is done once',
}

/** A flag of commands that compare: for pipelines, which tell something found from something failed. */
const exitFlag: Flag = {
  name: 'exit-code',
  field: 'exitCode',
  kind: 'boolean',
  means: 'exit with 2 when there is something, with 0 when there is nothing; failures are neither',
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

function extraFlags({ answers, name }: NamedOperation): readonly Flag[] {
  return [...(answers === 'job' ? [jobFlag] : []), ...(compares(name) ? [exitFlag] : [])]
}

/** The command of an operation that has a form for the command line. */
export function operationCommand(operation: NamedOperation, words: string): Command {
  const extra = extraFlags(operation)
  return {
    words,
    summary: operation.summary,
    group: groupOf(operation),
    positional: operation.command?.positional ?? [],
    flags: [...flagsFromSchema(inputJsonSchema(operation)), ...extra],
    details: detailsOf(operation),
    operation,
    run: (parsed, surroundings) => {
      const own = Object.entries(parsed.values).filter(
        ([field]) => !extra.some((flag) => flag.field === field),
      )
      const idempotencyKey = extra.includes(jobFlag) ? textOf(parsed, jobFlag.field) : undefined
      const detailedExit = extra.includes(exitFlag) && isSet(parsed, exitFlag.field)
      return perform(
        operation,
        { input: Object.fromEntries(own), idempotencyKey, detailedExit },
        surroundings,
      )
    },
  }
}
