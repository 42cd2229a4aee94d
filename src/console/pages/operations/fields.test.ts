import { describe, expect, test } from 'vitest'
import { fieldsOf, readFields, startingValues, type FieldSchema } from './fields.ts'

const schema: FieldSchema = {
  type: 'object',
  required: ['service', 'lines'],
  properties: {
    service: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,38}$' },
    lines: { type: 'integer', minimum: 1, maximum: 5000, default: 100 },
    follow: { type: 'boolean', default: false },
    role: { type: 'string', enum: ['view', 'operate'] },
    since: { type: 'integer', description: 'milliseconds since 1970-01-01T00:00Z' },
    labels: { type: 'object' },
  },
}
const fields = fieldsOf(schema)

test('each field gets the look that fits, and a default makes it optional', () => {
  expect(fields.map(({ name, look, required }) => [name, look, required])).toEqual([
    ['service', 'text', true],
    ['lines', 'number', false],
    ['follow', 'switch', false],
    ['role', 'choice', false],
    ['since', 'moment', false],
    ['labels', 'json', false],
  ])
  expect(startingValues(fields)).toMatchObject({ lines: '100', follow: '', service: '' })
})

describe('reading', () => {
  test('what was left out is not sent', () => {
    expect(readFields(fields, { service: 'web' })).toEqual({ input: { service: 'web' } })
  })

  test('values get their types', () => {
    const written = {
      service: 'web',
      lines: '20',
      follow: 'true',
      since: '2026-01-01T00:00:00Z',
      labels: '{"a":"b"}',
    }
    expect(readFields(fields, written).input).toEqual({
      service: 'web',
      lines: 20,
      follow: true,
      since: Date.UTC(2026, 0, 1),
      labels: { a: 'b' },
    })
  })

  test.each([
    [{ service: '' }, { service: 'is needed' }],
    [{ service: 'Web!' }, { service: 'does not have the right form: ^[a-z][a-z0-9-]{0,38}$' }],
    [{ service: 'web', lines: '0' }, { lines: 'must be at least 1' }],
    [{ service: 'web', lines: '1.5' }, { lines: 'must be a whole number' }],
    [{ service: 'web', lines: 'many' }, { lines: 'is not a number' }],
    [{ service: 'web', labels: '{' }, { labels: 'is not JSON' }],
  ])('%j is refused', (written, errors) => {
    expect(readFields(fields, written).errors).toEqual(errors)
  })
})
