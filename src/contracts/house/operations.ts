import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { jsonObject, nothing, role } from '../shapes.ts'

/** Facts about calls. */
export const operationFacts = {
  called: declareFact({
    kind: 'operations.called',
    says: '{actor} called {operation}: {outcome}',
    data: z.strictObject({
      operation: z.string(),
      actor: z.string(),
      outcome: z.string().describe('done, requested (a job), or the code of the error'),
      input: jsonObject.describe('without sensitive fields'),
    }),
  }),
} as const

/** What the house can do. */
export const operationsOperations = {
  list: declareOperation({
    name: 'operations.list',
    summary: 'Show every operation with its schema',
    input: nothing,
    output: z.strictObject({
      operations: z.array(
        z.strictObject({
          name: z.string(),
          summary: z.string(),
          answers: z.enum(['value', 'stream', 'job']),
          danger: z.enum(['none', 'changes', 'destroys']),
          permission: z.enum(['public', 'use', 'view', 'operate', 'administer']),
          permitted: z.boolean().describe('whether the caller may'),
          limit: z.string(),
          form: z.boolean(),
          role: role.nullable(),
          inputSchema: jsonObject.describe('JSON Schema 2020-12'),
        }),
      ),
    }),
    permission: 'view',
    command: { words: 'operations', positional: [] },
  }),
} as const
