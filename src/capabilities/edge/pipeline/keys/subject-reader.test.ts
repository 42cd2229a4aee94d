import { expect, test } from 'vitest'
import { directClient } from './client-address.ts'
import { nobody } from './identity.ts'
import type { Countable } from './key-reader.ts'
import { subjectReader } from './subject-reader.ts'

const from: Countable = {
  client: directClient('203.0.113.7'),
  who: nobody,
  route: 'POST /login',
  host: 'shop.example.com',
  method: 'POST',
  head: { fields: ['X-Tenant', 'acme', 'X-Long', 'x'.repeat(300)] },
}

test.each([
  [[], ''],
  [['ip'], 'ip:203.0.113.7'],
  [['prefix'], 'prefix:203.0.113.0/24'],
  [['user'], 'ip:203.0.113.7'],
  [['route', 'ip'], 'route:POST /login and ip:203.0.113.7'],
  [['header:x-tenant'], 'header:x-tenant:acme'],
])('per %j it is called %s', (per, subject) => {
  expect(subjectReader({ per })(from)).toBe(subject)
})

test('who proves to be a user is called that, and a long value by its digest', () => {
  const known = { ...from, who: { ...nobody, user: 'user:42' } }
  expect(subjectReader({ per: ['client'] })(known)).toBe('user:42')
  expect(subjectReader({ per: ['header:x-long'] })(known)).toMatch(/^header:x-long:sha256-[\w-]{43}$/)
})
