import { z } from 'zod'
import { declareOperation } from '../../../src/contracts/declare.ts'
import {
  accessOperations,
  jobOperations,
  operationCatalogue,
  operationsOperations,
  peopleOperations,
  seriesOperations,
  timelineOperations,
} from '../../../src/contracts/index.ts'
import type { OperationBinding } from '../../../src/kernel/capability/index.ts'
import type { JsonObject, OperationDeclaration } from '../../../src/kernel/std/index.ts'

const asDeclarations = (operations: object): readonly OperationDeclaration[] =>
  Object.values(operations) as OperationDeclaration[]

/** What the house itself binds. */
export const ownOperations: readonly OperationDeclaration[] = [
  timelineOperations,
  seriesOperations,
  jobOperations,
  accessOperations,
  operationsOperations,
  peopleOperations,
].flatMap(asDeclarations)

/** What capabilities bind. */
export const capabilityOperations: readonly OperationDeclaration[] = (
  operationCatalogue as unknown as readonly OperationDeclaration[]
).filter((operation) => !ownOperations.includes(operation))

/** Operations that only tests have. */
export const testOperations = {
  echo: declareOperation({
    name: 'test.echo',
    summary: 'Answer what was said',
    input: z.strictObject({ text: z.string().max(2_000_000).default('nothing') }),
    output: z.strictObject({ text: z.string() }),
    permission: 'view',
    limit: '1000/min per caller',
  }),
  change: declareOperation({
    name: 'test.change',
    summary: 'Change something',
    input: z.strictObject({ what: z.string(), password: z.string().optional() }),
    output: z.strictObject({ changed: z.string() }),
    permission: 'operate',
    danger: 'changes',
    sensitive: ['password'],
    limit: '5/min per caller',
  }),
  count: declareOperation({
    name: 'test.count',
    summary: 'Count as long as somebody listens',
    input: z.strictObject({
      to: z.number().int(),
      failAt: z.number().int().optional(),
      padding: z.number().int().default(0),
    }),
    output: z.strictObject({ number: z.number(), padding: z.string() }),
    answers: 'stream',
    permission: 'view',
    limit: '1000/min per caller',
  }),
  work: declareOperation({
    name: 'test.work',
    summary: 'Work in two steps',
    input: z.strictObject({ what: z.string() }),
    output: z.strictObject({ first: z.string(), second: z.string() }),
    answers: 'job',
    permission: 'operate',
    danger: 'changes',
    limit: '1000/min per caller',
  }),
} as const

/** Catalogue of a house that has nothing but its own and the tests' operations. */
export const testCatalogue: readonly OperationDeclaration[] = [
  ...ownOperations,
  ...asDeclarations(testOperations),
]

/** Binds operations to code that throws `acted`, so that a test sees that a call got that far. */
export function bindMarkers(
  operations: readonly OperationDeclaration[],
  acted: (name: string) => Error,
): readonly OperationBinding[] {
  return operations.map((declaration) => ({
    declaration,
    act: () => {
      throw acted(declaration.name)
    },
  }))
}

const samples: Readonly<Record<string, unknown>> = {
  service: 'web',
  job: '018f0000-0000-7000-8000-000000000000',
  because: 'a test',
  name: 'sample',
  link: 'x'.repeat(43),
  sequence: 999_999,
  subject: 'user:42',
  for: '1h',
  takes: [{ limit: 'email.send' }],
}

function sampleOf(field: string, schema: JsonObject): unknown {
  const { pattern: form, minimum = 1, type } = schema
  const pattern = new RegExp(typeof form === 'string' ? form : '')
  const known = samples[field]
  if (Object.hasOwn(samples, field) && (typeof known !== 'string' || pattern.test(known))) return known
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown
  const least = Math.max(1, Number(minimum))
  const byType: Readonly<Record<string, unknown>> = {
    integer: least,
    number: least,
    boolean: false,
    array: [],
    object: {},
  }
  return (
    byType[typeof type === 'string' ? type : ''] ??
    ['sample', '0123456789abcdef'].find((text) => pattern.test(text))
  )
}

/** An input that fits an operation: only what is required. */
export function sampleInput(schema: JsonObject): Record<string, unknown> {
  const required = (schema['required'] ?? []) as readonly string[]
  const properties = (schema['properties'] ?? {}) as Record<string, JsonObject>
  return Object.fromEntries(required.map((field) => [field, sampleOf(field, properties[field] ?? {})]))
}
