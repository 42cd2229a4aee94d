import { inputJsonSchema, type OperationName } from '../../contracts/index.ts'
import { closest, HoldfastError, type Json, type JsonObject } from '../../kernel/std/index.ts'
import { coerce, flagsFromSchema, usageError, type Flag, type Parsed } from '../arguments/index.ts'
import { textOf, type Command, type NamedOperation, type Surroundings } from './command.ts'
import { jobFlag } from './operation-command.ts'
import { perform } from './perform.ts'

function findOperation(name: string, operations: readonly NamedOperation[]): NamedOperation {
  const found = operations.find((operation) => operation.name === name)
  if (found !== undefined) return found
  const names: readonly OperationName[] = operations.map((operation) => operation.name)
  const meant = closest(name, names)
  throw new HoldfastError({
    code: 'operations.unknown',
    kind: 'user',
    message: `there is no operation "${name}"`,
    hint: meant === undefined ? 'see "holdfast operations"' : `did you mean "${meant}"?`,
  })
}

function readDocument(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch {
    throw usageError('--input is not JSON', { hint: `as --input '{"service":"web"}'` })
  }
  throw usageError('--input is JSON, but not an object', { hint: `as --input '{"service":"web"}'` })
}

function readPair(text: string, flags: readonly Flag[], nowMs: number): readonly [string, Json] {
  const at = text.indexOf('=')
  if (at < 1) throw usageError(`"${text}" is not of the form key=value`)
  const field = text.slice(0, at)
  const flag = flags.find((each) => each.field === field)
  return [field, flag === undefined ? text.slice(at + 1) : coerce(flag, [text.slice(at + 1)], nowMs)]
}

async function readInput(
  operation: NamedOperation,
  parsed: Parsed,
  { clock, readInput: readAll }: Surroundings,
): Promise<JsonObject> {
  const given = textOf(parsed, 'input')
  const document = given === undefined ? {} : readDocument(given === '-' ? await readAll() : given)
  const flags = flagsFromSchema(inputJsonSchema(operation))
  const pairs = parsed.rest.map((text) => readPair(text, flags, clock.now()))
  return { ...document, ...Object.fromEntries(pairs) }
}

/** `holdfast call <operation> [key=value ...]`: any operation, also one that has no command of its own. */
export function callCommand(operations: readonly NamedOperation[]): Command {
  return {
    words: 'call',
    summary: 'Call any operation by its name',
    group: 'more',
    positional: ['operation'],
    rest: true,
    flags: [
      {
        name: 'operation',
        field: 'operation',
        kind: 'text',
        required: true,
        means: 'its name, as environment.status; "holdfast operations" lists them',
      },
      {
        name: 'input',
        field: 'input',
        kind: 'text',
        means: 'the whole input as JSON; - reads it from standard input',
      },
      jobFlag,
    ],
    details: ['Fields are given as key=value: holdfast call environment.restart service=web'],
    run: async (parsed, surroundings) => {
      const operation = findOperation(textOf(parsed, 'operation') ?? '', operations)
      const input = await readInput(operation, parsed, surroundings)
      const idempotencyKey = textOf(parsed, jobFlag.field)
      return perform(operation, { input, idempotencyKey }, surroundings)
    },
  }
}
