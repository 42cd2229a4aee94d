import { inputJsonSchema, outputJsonSchema } from '../../../contracts/index.ts'
import type { JsonObject, OperationDeclaration } from '../../../kernel/std/index.ts'

const problem = {
  description: 'Why not, as a problem (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'kind', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'as environment.unknown-service; see the reference of errors' },
    kind: { enum: ['user', 'operational', 'bug'] },
    detail: { type: 'string' },
    hint: { type: 'string', description: 'how to mend it' },
    path: { type: 'string', description: 'the field at fault' },
  },
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'the same key gives the same job for 24 hours',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
}

const jobReference = { schema: { $ref: '#/components/schemas/Job' } }

function success(operation: OperationDeclaration): JsonObject {
  const schema = outputJsonSchema(operation)
  switch (operation.answers) {
    case 'value':
      return { '200': { description: 'The value', content: { 'application/json': { schema } } } }
    case 'stream':
      return {
        '200': {
          description: 'Items, one a line; an empty line is a heartbeat',
          content: { 'application/x-ndjson': { schema } },
        },
      }
    case 'job':
      return {
        '202': {
          description:
            'The job; follow it with jobs.follow. `result` is as the x-holdfast-result schema says',
          content: { 'application/json': jobReference },
        },
      }
  }
}

function pathOf(operation: OperationDeclaration): JsonObject {
  const { name, summary, permission, danger, limit, answers } = operation
  return {
    post: {
      operationId: name,
      summary,
      tags: [name.split('.')[0] ?? name],
      ...(permission === 'public' ? { security: [] } : {}),
      ...(answers === 'job' ? { parameters: [idempotencyKey] } : {}),
      requestBody: {
        required: true,
        content: { 'application/json': { schema: inputJsonSchema(operation) } },
      },
      responses: {
        ...success(operation),
        '400': problem,
        '401': problem,
        '403': problem,
        '429': {
          ...problem,
          headers: { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } },
        },
        default: problem,
      },
      'x-holdfast-permission': permission,
      'x-holdfast-danger': danger,
      'x-holdfast-limit': limit,
      'x-holdfast-answers': answers,
      ...(answers === 'job' ? { 'x-holdfast-result': outputJsonSchema(operation) } : {}),
    },
  }
}

/** OpenAPI 3.1 of the operations; `job` is the declaration of any operation that answers with a job as a value. */
export function openApiDocument(
  operations: readonly OperationDeclaration[],
  options: { readonly version: string; readonly jobSchema: JsonObject },
): JsonObject {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast control',
      version: options.version,
      description:
        'Every operation of the house, declared once. The console and the command line call the same ones.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { session: [] }],
    paths: Object.fromEntries(operations.map((operation) => [`/ops/${operation.name}`, pathOf(operation)])),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'holdfast_session' },
      },
      schemas: { Problem: problemSchema, Job: options.jobSchema },
    },
  }
}
