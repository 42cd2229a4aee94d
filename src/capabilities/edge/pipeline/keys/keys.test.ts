import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLimit } from '../../../../kernel/limit/index.ts'
import { directClient } from './client-address.ts'
import { faultOfDimension } from './dimensions.ts'
import { cookieOf, fieldOf } from './fields.ts'
import { nobody, type Identity } from './identity.ts'
import { keyReader, rungOf, type Countable } from './key-reader.ts'
import { createRangeBook, isPrivate, parseAddress } from './ranges.ts'
import { createSubjectBook, isSubjectOrRange } from './subjects.ts'

function request(
  parts: Partial<Omit<Countable, 'head'>> & { fields?: readonly string[]; peer?: string } = {},
) {
  const { fields = [], peer = '203.0.113.7', ...rest } = parts
  const client = directClient(peer)
  const head = { fields: [...fields] }
  return { client, who: nobody, route: '/*', host: 'a', method: 'GET', head, ...rest } satisfies Countable
}

const read = (rule: string, from: Countable): string => keyReader(parseLimit(rule))(from)
const who = (identity: Partial<Identity>): Identity => ({ ...nobody, ...identity })

describe('what limits count by', () => {
  test.each([
    ['1/s per prefix', '203.0.113.99', '203.0.113.0/24'],
    ['1/s per prefix', '2001:db8:1:2::3', '2001:db8:1::/48'],
    ['1/s per ip', '2001:db8:1:2::3', '2001:db8:1:2::/64'],
    ['1/s per ip', '::ffff:203.0.113.9', '203.0.113.9'],
    ['1/s per prefix', 'nonsense', 'unknown'],
  ])('%s from %s', (rule, peer, key) => {
    expect(read(rule, request({ peer }))).toBe(key)
  })

  test('a header or cookie that is missing and one that is empty share an account', () => {
    expect(read('1/s per header x-tenant', request())).toBe('')
    expect(read('1/s per header x-tenant', request({ fields: ['X-Tenant', ''] }))).toBe('')
    expect(read('1/s per header x-tenant', request({ fields: ['X-Tenant', 'a', 'x-tenant', 'b'] }))).toBe(
      'a,b',
    )
    expect(read('1/s per cookie sid', request({ fields: ['cookie', 'x=1; sid=2; sid=3'] }))).toBe('2')
  })

  test('the ladder: a user, an API key, a passport, the address', () => {
    const all = { user: 'user:42', key: 'key:partner', passport: 'passport:p' }
    const keys = (identity: Partial<Identity>) =>
      ['user', 'key', 'client'].map((dimension) =>
        read(`1/s per ${dimension}`, request({ who: who(identity) })),
      )
    const ip = 'ip:203.0.113.7'
    expect(keys({})).toEqual([ip, ip, ip])
    expect(keys(all)).toEqual([all.user, all.key, all.user])
    expect(keys({ key: all.key })).toEqual([all.key, all.key, all.key])
    expect(keys({ passport: all.passport })).toEqual([ip, ip, all.passport])
    expect(rungOf('client', { who: who({ passport: all.passport }) })).toBe('passport')
    expect(rungOf('user', { who: who({ passport: all.passport }) })).toBe('ip')
    expect(rungOf('prefix', { who: nobody })).toBe('prefix')
  })

  test('no value can pass for a combination of others', () => {
    const rule = '1/s per header a and cookie b and user'
    const key = (a: string, b: string, user: string): string =>
      read(rule, request({ fields: ['a', a, 'cookie', `b=${b}`], who: who({ user: `user:${user}` }) }))
    const text = fc.string({ unit: fc.constantFrom('a', '1', ' ', '\n', '\0', ':', ','), maxLength: 6 })
    const value = text.map((chars) => chars.trim())
    fc.assert(
      fc.property(fc.tuple(value, value, text), fc.tuple(value, value, text), (one, other) => {
        const isSame = one.every((part, index) => part === other[index])
        expect(key(...one) === key(...other)).toBe(isSame)
      }),
      { numRuns: 2000 },
    )
  })

  test('absurdly long values are cut to a digest and stay distinct', () => {
    const key = (value: string): string => read('1/s per header a', request({ fields: ['a', value] }))
    const [one, other] = [`${'x'.repeat(15_000)}1`, `${'x'.repeat(15_000)}2`]
    expect(key(one)).not.toBe(key(other))
    expect(key(one).length).toBeLessThan(60)
    expect(key('x'.repeat(256))).toBe('x'.repeat(256))
    expect(key('x'.repeat(257))).not.toBe(key('x'.repeat(256)))
  })

  test('what it cannot count by is named, with what was meant', () => {
    expect(faultOfDimension('ip')).toBeUndefined()
    expect(faultOfDimension('header:x-tenant')).toBeUndefined()
    expect(faultOfDimension('clinet')?.hint).toBe('did you mean "client"?')
    expect(faultOfDimension('guild')?.hint).toContain('header NAME')
    expect(faultOfDimension('cookie')?.message).toContain('names no cookie')
  })
})

describe('fields', () => {
  test('a cookie is found by its whole name', () => {
    const head = { fields: ['cookie', 'xsid=1; sid.x=2;sid=3 ; sidx=4'] }
    expect(cookieOf(head, 'sid')).toBe('3')
    expect(cookieOf(head, 'no')).toBeNull()
    expect(cookieOf({ fields: ['Cookie', 'a=1', 'cookie', 'b=2'] }, 'b')).toBe('2')
    expect(fieldOf(head, 'x')).toBeNull()
  })
})

function addressOf(text: string): NonNullable<ReturnType<typeof parseAddress>> {
  const address = parseAddress(text)
  if (address === null) throw new Error(`${text} is no address`)
  return address
}

describe('ranges', () => {
  test('agree with a comparison bit by bit', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const ipv4 = fc.tuple(byte, byte, byte, byte)
    const bits = fc.integer({ min: 0, max: 32 })
    const bitsOf = (bytes: readonly number[]): string =>
      bytes.map((each) => each.toString(2).padStart(8, '0')).join('')
    fc.assert(
      fc.property(
        fc.record({ base: ipv4, near: ipv4, bits, keep: bits }),
        ({ base, bits: size, near, keep }) => {
          const mixed = base.map((each, index) => (8 * (index + 1) <= keep ? each : (near[index] ?? 0)))
          const book = createRangeBook([[`${base.join('.')}/${size}`, 'in']])
          const address = parseAddress(mixed.join('.'))
          const expected = bitsOf(base).slice(0, size) === bitsOf(mixed).slice(0, size)
          expect(address !== null && book.find(address) === 'in').toBe(expected)
        },
      ),
    )
  })

  test('the narrowest wins, whatever the order, and families do not mix', () => {
    const book = createRangeBook([
      ['10.0.0.0/8', 'wide'],
      ['10.1.0.0/16', 'narrow'],
      ['10.1.2.3', 'one'],
      ['::/0', 'six'],
    ])
    const find = (text: string) => book.find(addressOf(text))
    expect(['10.9.9.9', '10.1.9.9', '10.1.2.3', '11.0.0.0', '2001:db8::'].map(find)).toEqual([
      'wide',
      'narrow',
      'one',
      undefined,
      'six',
    ])
    expect(isPrivate('10.0.0.1') && isPrivate('::1') && isPrivate('172.17.0.1')).toBe(true)
    expect(isPrivate('203.0.113.7') || isPrivate('nonsense')).toBe(false)
  })
})

describe('subjects', () => {
  test('are told from what is none', () => {
    for (const text of [
      '203.0.113.7',
      'ip:203.0.113.7',
      '10.0.0.0/8',
      'ip:2001:db8::/32',
      'user:42',
      'key:a b',
    ]) {
      expect([text, isSubjectOrRange(text)]).toEqual([text, true])
    }
    for (const text of ['', 'user:', '42', 'host:a', '10.0.0.0/33', `user:${'x'.repeat(400)}`]) {
      expect([text, isSubjectOrRange(text)]).toEqual([text, false])
    }
  })

  test('are found by address and by identity; an IPv6 address stands for its 64 bits', () => {
    const book = createSubjectBook([
      ['ip:203.0.113.7', 1],
      ['10.0.0.0/8', 2],
      ['user:42', 3],
      ['ip:2001:db8::1', 4],
      ['nonsense', 5],
    ])
    const at = (peer: string) => book.byAddress(directClient(peer))
    expect(['203.0.113.7', '203.0.113.8', '10.2.3.4', '2001:db8::9'].map(at)).toEqual([1, undefined, 2, 4])
    expect(book.byIdentity(who({ user: 'user:42' }))).toBe(3)
    expect(book.byIdentity(nobody)).toBeUndefined()
    expect(createSubjectBook([]).knowsNoAddress && createSubjectBook([]).knowsNobody).toBe(true)
  })
})
