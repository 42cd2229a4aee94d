import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLimit } from '../../../kernel/limit/index.ts'
import {
  formFor,
  limitRefusals,
  originRefusal,
  plainRefusal,
  policiesField,
  render,
  type Refusal,
} from './index.ts'
import { mayGoUnread, ownAuthority } from './forward.ts'
import { readHead, type RequestHead } from './head.ts'
import { secureLocation } from './redirect.ts'
import { reasonPhrase, responseFields, statusClass } from './response-fields.ts'
import { createRetryBudget, mayRetry } from './retry.ts'

describe('another try', () => {
  const failed = { method: 'GET', tries: 1, sent: true, bodyTaken: false, timedOut: false }
  test.each([
    ['an idempotent request that was sent', {}, true],
    ['one that timed out', { timedOut: true }, false],
    ['a POST that was sent', { method: 'POST' }, false],
    ['a POST that was not', { method: 'POST', sent: false }, true],
    ['one whose body was begun', { method: 'PUT', sent: false, bodyTaken: true }, false],
    ['the third', { tries: 2 }, true],
    ['the fourth', { tries: 3 }, false],
  ])('%s', (_what, changed, may) => {
    expect(mayRetry({ ...failed, ...changed })).toBe(may)
  })

  test('never more than a tenth of the requests, and ten', () => {
    const budget = createRetryBudget()
    let spent = 0
    for (let request = 0; request < 1000; request++) {
      budget.earn()
      if (budget.spend()) spent++
    }
    expect(spent).toBeGreaterThan(90)
    expect(spent).toBeLessThanOrEqual(110)
  })
})

function refused(limit: string, rule: string, retryAfterMs: number): Refusal {
  const parsed = parseLimit('1/min')
  const policies = policiesField([{ policy: limit, rule: parsed }])
  const violation = { policies, countedBy: 'ip', used: 1, most: 1, nowMs: 0, retryAfterMs }
  return limitRefusals({ name: limit, rule, parsed, policy: limit, syntax: 'draft-11' })(violation)
}

describe('a refusal', () => {
  test.each([
    ['', 'problem'],
    ['*/*', 'problem'],
    ['application/json', 'problem'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['text/plain', 'plain'],
    ['text/*', 'html'],
    ['text/html;q=0.1, application/json', 'problem'],
    ['text/html;q=0', 'problem'],
    ['image/webp', 'problem'],
    [';;;,,,q=', 'problem'],
  ])('Accept: %s gets %s', (accept, form) => {
    expect(formFor(accept)).toBe(form)
  })

  test('says when to try again, in whole seconds from 1 on', () => {
    expect(refused('a', '1/min', 1)).toMatchObject({ retryAfterSeconds: 1 })
    expect(refused('a', '1/min', 1001)).toMatchObject({ retryAfterSeconds: 2 })
    expect(refused('a', '1/min', Number.POSITIVE_INFINITY).retryAfterSeconds).toBeLessThan(1e9)
    expect(originRefusal('no-healthy-target', 'web').retryAfterSeconds).toBe(2)
  })

  test('lets nothing from outside become markup or another field', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, rule) => {
        const refusal = refused(`<script>${name}`, rule, 1000)
        const html = render(refusal, 'html', '<i>').body
        expect(html).not.toContain('<script>')
        expect(html).not.toContain('<i>')
        expect(JSON.parse(render(refusal, 'problem', 'a1').body)).toMatchObject({ status: 429, rule })
      }),
    )
  })

  test('by a limit says what is so now, also when it comes again', () => {
    const limit = { name: 'edge.a', rule: '9/min per ip', parsed: parseLimit('9/min per ip'), policy: 'p"' }
    const refusalOf = limitRefusals({ ...limit, syntax: 'draft-11' })
    const first = { policies: '"p"', countedBy: 'ip', used: 9, most: 9, retryAfterMs: 1500, nowMs: 250 }
    expect(refusalOf({ ...first, retryAfterMs: 1400, nowMs: 500 })).toBe(refusalOf(first))
    const changes = [
      { policies: '"q"' },
      { countedBy: 'user' },
      { used: 8 },
      { most: 10, used: 10 },
      { retryAfterMs: 2500 },
      { nowMs: 1250 },
    ]
    for (const change of changes) {
      const violation = { ...first, ...change }
      const again = refusalOf(violation)
      expect(again).toEqual(limitRefusals({ ...limit, syntax: 'draft-11' })(violation))
      expect(again).not.toEqual(refusalOf(first))
    }
    expect(refusalOf(first)).toMatchObject({
      fields: ['ratelimit-policy', '"p"', 'ratelimit', String.raw`"p\"";r=0;t=2`],
      members: { used: 9, most: 9, countedBy: 'ip', admitsAgainAt: '1970-01-01T00:00:02.000Z' },
    })
  })

  test('is as long as it says, in each form and by any id, also when it is written again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (name, id) => {
        const refusal = refused(name, '1/min', 1000)
        for (const form of ['problem', 'html', 'plain', 'problem'] as const) {
          const { body, sizeBytes, encoding, fields } = render(refusal, form, id)
          expect(Buffer.from(body, encoding)).toEqual(Buffer.from(body))
          expect(sizeBytes).toBe(Buffer.byteLength(body))
          expect(fields.at(-1)).toBe(id)
        }
        expect(JSON.parse(render(refusal, 'problem', id).body)).toMatchObject({ requestId: id })
      }),
    )
  })

  test('has its status in every form', () => {
    for (const form of ['problem', 'html', 'plain'] as const) {
      expect(render(plainRefusal(404, 'No route leads there.'), form, 'a1').body).toMatch(/404[^]*a1/)
    }
  })
})

test('a redirect keeps host and target', () => {
  expect(secureLocation('example.com:80', 443, '/a?b')).toBe('https://example.com/a?b')
  expect(secureLocation('example.com', 8443, '/')).toBe('https://example.com:8443/')
  expect(secureLocation('[2001:db8::1]:80', 443, '/')).toBe('https://[2001:db8::1]/')
})

test('fields that Connection lists stay here', () => {
  const raw = [
    'Connection',
    'close, X-A',
    'X-A',
    '1',
    'X-B',
    '2',
    'Transfer-Encoding',
    'chunked',
    'Content-Length',
    '5',
  ]
  expect(responseFields(raw)).toEqual({
    fields: ['X-B', '2'],
    contentLength: '5',
    isCoded: false,
    isEventStream: false,
  })
  expect(responseFields(raw.map((part) => Buffer.from(part))).fields).toEqual(['X-B', '2'])
  expect(responseFields(['Content-Length', '5x']).contentLength).toBe('')
})

test('an answer in a transfer coding besides chunked is known as such', () => {
  const isCoded = (...values: string[]): boolean =>
    responseFields(values.flatMap((value) => ['Transfer-Encoding', value])).isCoded
  expect([isCoded(), isCoded('Chunked'), isCoded('identity')]).toEqual([false, false, false])
  expect([isCoded('gzip, chunked'), isCoded('gzip', 'chunked'), isCoded('x')]).toEqual([true, true, true])
})

test('a reason phrase goes on if it is plain text, a status counts in one of five classes', () => {
  expect(['Not Found', 'a\tb', 'caf\u00e9', 'a\0b', '\u2713', undefined].map(reasonPhrase)).toEqual([
    'Not Found',
    'a\tb',
    '',
    '',
    '',
    '',
  ])
  expect([101, 200, 404, 599, 600, 999].map(statusClass)).toEqual([1, 2, 4, 5, 5, 5])
})

test('bodies that an origin may leave unread', () => {
  const unread = (method: string, contentLength: number, chunked = false): boolean =>
    mayGoUnread({ ...(readHead(['Host', 'a'], '1.1', '/') as RequestHead), contentLength, chunked }, method)
  expect([unread('GET', -1), unread('GET', 0), unread('POST', 5), unread('PATCH', 5)]).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect([unread('GET', 5), unread('DELETE', 5), unread('POST', -1, true)]).toEqual([true, true, true])
})

test('HTTP/1.0 without a Host gets the address that it came to', () => {
  expect(ownAuthority('127.0.0.1', 80)).toBe('127.0.0.1:80')
  expect(ownAuthority('::ffff:127.0.0.1', 80)).toBe('127.0.0.1:80')
  expect(ownAuthority('::1', 80)).toBe('[::1]:80')
})
