import { describe, expect, test } from 'vitest'
import { clientOf, createClientReader } from './address.ts'

interface Connection {
  readonly peer: string
  readonly field: (name: string) => string | undefined
}

const reads = {
  peer: ({ peer }: Connection) => peer,
  field: ({ field }: Connection, name: string) => field(name),
}
const from = (peer: string, fields: Readonly<Record<string, string>>) => ({
  peer,
  field: (name: string) => fields[name],
})

describe('what counts as one client', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['', 'unknown'],
    ['nonsense', 'unknown'],
  ])('%s is %s', (address, client) => {
    expect(clientOf(address)).toBe(client)
  })
})

describe('forwarding fields', () => {
  const read = createClientReader(reads, ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'])

  test('count only from proxies, and only as far as proxies wrote them', () => {
    const forwarded = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7, 10.0.0.9' }
    expect(read(from('203.0.113.99', forwarded))).toBe('203.0.113.99')
    expect(read(from('10.0.0.1', forwarded))).toBe('203.0.113.7')
    expect(read(from('::ffff:10.0.0.1', forwarded))).toBe('203.0.113.7')
    expect(read(from('fd00::1', { 'x-forwarded-for': '[2001:db8:1:2::9]:443' }))).toBe('2001:db8:1:2::/64')
    expect(read(from('192.0.2.1', { forwarded: 'for=6.6.6.6, for="[2001:db8::1]:5";proto=https' }))).toBe(
      '2001:db8:0:0::/64',
    )
    expect(read(from('10.0.0.1', { 'x-forwarded-for': '203.0.113.7, rubbish' }))).toBe('10.0.0.1')
    expect(read(from('10.0.0.1', {}))).toBe('10.0.0.1')
    expect(createClientReader(reads, [])(from('10.0.0.1', forwarded))).toBe('10.0.0.1')
  })

  test('a list without end is read as far as a limit', () => {
    const list = Array.from({ length: 10_000 }, () => '10.0.0.2').join(',')
    expect(read(from('10.0.0.1', { 'x-forwarded-for': `203.0.113.7,${list}` }))).toBe('10.0.0.2')
  })
})
