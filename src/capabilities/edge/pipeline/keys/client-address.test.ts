import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressKey, createTrust, directClient, proxiedClient } from './client-address.ts'

const trust = createTrust(['10.0.0.5', '192.0.2.0/24', '2001:db8::/32'])
const behind = (forwardedFor: string, forwarded = '') =>
  proxiedClient(directClient('10.0.0.5'), { forwardedFor, forwarded }, trust)

describe('who is trusted', () => {
  test.each([
    ['10.0.0.5', true],
    ['::ffff:10.0.0.5', true],
    ['10.0.0.6', false],
    ['192.0.2.77', true],
    ['2001:db8:1::1', true],
    ['2001:db9::1', false],
    ['rubbish', false],
    ['', false],
  ])('%s: %s', (address, trusted) => {
    expect(trust(address)).toBe(trusted)
  })

  test('nobody, when nobody is named', () => {
    expect(createTrust([])('127.0.0.1')).toBe(false)
  })
})

describe('who the client is', () => {
  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['1.1.1.1, 203.0.113.9, 192.0.2.1', '203.0.113.9'],
    ['192.0.2.9, 192.0.2.1', '192.0.2.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db9::1]:4711', '2001:db9::1'],
    ['203.0.113.9, rubbish', '10.0.0.5'],
    ['', '10.0.0.5'],
  ])('X-Forwarded-For: %s is %s', (field, address) => {
    expect(behind(field).address).toBe(address)
  })

  test('Forwarded counts only without X-Forwarded-For', () => {
    expect(behind('', 'for=1.1.1.1, for="203.0.113.9";proto=https').address).toBe('203.0.113.9')
    expect(behind('203.0.113.8', 'for=203.0.113.9').address).toBe('203.0.113.8')
  })

  test('what a client writes left of itself changes nothing', () => {
    const noise = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 20 })
    fc.assert(
      fc.property(noise, (written) => {
        const client = behind([...written.map((text) => text.replaceAll(',', '')), '203.0.113.9'].join(', '))
        expect(client.address).toBe('203.0.113.9')
        expect(client.chain).toEqual(['203.0.113.9', '10.0.0.5'])
      }),
    )
  })
})

describe('what limits count by', () => {
  test('an IPv4 address, also when it is written as an IPv6 one', () => {
    expect(addressKey('203.0.113.9')).toBe('203.0.113.9')
    expect(addressKey('::ffff:203.0.113.9')).toBe('203.0.113.9')
  })

  test('the first 64 bits of an IPv6 address', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:db8:1:2:ffff::1'))
    expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'))
  })
})
