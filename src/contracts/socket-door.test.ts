import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { edgePolicy, edgeState } from './edge-policy.ts'
import { readFromHouse } from './socket-door.ts'
import { desiredReplicas, supervisorEvent, supervisorStatus } from './supervisor.ts'

const status = {
  pid: 1,
  version: '0.2.0',
  startedAt: 1,
  processes: [
    { name: 'edge', state: 'running', pid: 2, startedAt: 1, restarts: 0, cpu: null, memoryBytes: null },
  ],
  replicas: [],
  notes: [],
}

/** The same with a key of a later version in every object. */
function withStrangers(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => withStrangers(item, key))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, each]) => [name, withStrangers(each, key)])
  return { ...Object.fromEntries(entries), [key]: { deep: [1] } }
}

test('keys of another version are passed over, however deep they lie', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^new[A-Z][a-z]{1,8}$/), (key) => {
      const read = readFromHouse(supervisorStatus, withStrangers(status, key))
      expect(read).toEqual({ success: true, data: status })
    }),
  )
  expect(supervisorStatus.safeParse(withStrangers(status, 'newKey')).success).toBe(false)
})

test('what is missing or of another kind is refused all the same, and what was given is left as it was', () => {
  const given = { ...status, pid: 'one', extra: 1 }
  expect(readFromHouse(supervisorStatus, given)).toMatchObject({ success: false })
  expect(given).toHaveProperty('extra')
  for (const schema of [edgePolicy, edgeState, desiredReplicas])
    for (const value of [null, undefined, 1, [], 'text', {}])
      expect(readFromHouse<unknown>(schema, value)).toMatchObject({ success: false })
})

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/golden/house-0.1.0.json'), 'utf8'),
) as Record<string, unknown>

test.each([
  ['policy', edgePolicy],
  ['state', edgeState],
  ['desired', desiredReplicas],
  ['status', supervisorStatus],
  ['event', supervisorEvent],
] as const)('what the version before said as its %s still fits: a new key has a default', (name, schema) => {
  expect(readFromHouse<unknown>(schema, golden[name])).toMatchObject({ success: true })
})
