import ipaddr from 'ipaddr.js'

/** An address as ipaddr.js reads it; an IPv4 address written as IPv6 is IPv4. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Reads an address; null: it is none. */
export function parseAddress(text: string): Address | null {
  return ipaddr.isValid(text) ? ipaddr.process(text) : null
}

const privateKinds: ReadonlySet<string> = new Set([
  'private',
  'loopback',
  'linkLocal',
  'uniqueLocal',
  'carrierGradeNat',
])

/** Whether an address is one of nobody's on the internet: loopback, or of a private network. */
export function isPrivate(text: string): boolean {
  const address = parseAddress(text)
  return address !== null && privateKinds.has(address.range())
}

/** Finds the narrowest range that an address lies in; as fast for ten thousand ranges as for one. */
export interface RangeBook<T> {
  readonly isEmpty: boolean
  find(address: Address): T | undefined
}

interface Level<T> {
  readonly bits: number
  readonly ranges: Map<string, T>
}

/** Builds a book from addresses and CIDR ranges that have been checked before. The first of two alike counts. */
export function createRangeBook<T>(entries: Iterable<readonly [range: string, value: T]>): RangeBook<T> {
  const levels = { ipv4: new Map<number, Level<T>>(), ipv6: new Map<number, Level<T>>() }
  let isEmpty = true
  for (const [text, value] of entries) {
    const [address, bits] = readRange(text)
    const own = levels[address.kind()]
    const level = own.get(bits) ?? { bits, ranges: new Map<string, T>() }
    own.set(bits, level)
    const key = prefixOf(address, bits)
    if (!level.ranges.has(key)) level.ranges.set(key, value)
    isEmpty = false
  }
  const narrowestFirst = (kind: 'ipv4' | 'ipv6') => [...levels[kind].values()].sort((a, b) => b.bits - a.bits)
  const sorted = { ipv4: narrowestFirst('ipv4'), ipv6: narrowestFirst('ipv6') }
  return {
    isEmpty,
    find: (address) => {
      for (const { bits, ranges } of sorted[address.kind()]) {
        const value = ranges.get(prefixOf(address, bits))
        if (value !== undefined) return value
      }
      return undefined
    },
  }
}

function readRange(text: string): readonly [Address, number] {
  if (!text.includes('/')) {
    const address = ipaddr.process(text)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  }
  const [address, bits] = ipaddr.parseCIDR(text)
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
    return [address.toIPv4Address(), bits - 96]
  }
  return [address, bits]
}

/** The first bits of an address, as a key of a map. */
function prefixOf(address: Address, bits: number): string {
  const bytes = address.toByteArray()
  let key = ''
  for (let index = 0; 8 * index < bits; index++) {
    const left = bits - 8 * index
    const mask = left >= 8 ? 255 : (0xff << (8 - left)) & 0xff
    key += String.fromCharCode((bytes[index] ?? 0) & mask)
  }
  return key
}
