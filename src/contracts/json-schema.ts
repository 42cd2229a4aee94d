import { z } from 'zod'
import type { JsonObject, OperationDeclaration } from '../kernel/std/index.ts'

const options = { unrepresentable: 'any', target: 'draft-2020-12' } as const

function schemaOf(schema: unknown, io: 'input' | 'output'): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema as z.ZodType, { ...options, io })
  return rest as JsonObject
}

/** JSON Schema 2020-12 of what an operation takes, defaults not yet filled in. */
export function inputJsonSchema(operation: Pick<OperationDeclaration, 'input'>): JsonObject {
  return schemaOf(operation.input, 'input')
}

/** JSON Schema 2020-12 of what an operation answers: the value, one item of the stream, or the job's result. */
export function outputJsonSchema(operation: Pick<OperationDeclaration, 'output'>): JsonObject {
  return schemaOf(operation.output, 'output')
}
