import ipaddr from 'ipaddr.js'
import { createRangeBook, parseAddress } from './ranges.ts'

/** Who is at the other end, as far as it can be known. */
export interface Client {
  /** Address in its canonical text. */
  readonly address: string
  /** What limits per ip count: the IPv4 address, or the first 64 bits of an IPv6 address. */
  readonly key: string
  /** The same as a subject: `ip:203.0.113.7`. */
  readonly subject: string
  /** What limits per prefix count: IPv4 /24, IPv6 /48. */
  readonly prefix: string
  /** Addresses to be named in X-Forwarded-For: the client, then the trusted proxies down to the peer. */
  readonly chain: readonly string[]
  /** Whether the peer is a trusted proxy, whose word about scheme and client counts. */
  readonly viaProxy: boolean
}

/** Tells whether an address belongs to a trusted proxy. */
export type Trust = (address: string) => boolean

/** Addresses that are read of an X-Forwarded-For, from the right. */
const mostHops = 16

/** Builds the test for trusted proxies from addresses and CIDR ranges that have been checked before. */
export function createTrust(ranges: readonly string[]): Trust {
  const book = createRangeBook(ranges.map((range) => [range, true] as const))
  if (book.isEmpty) return () => false
  return (text) => {
    const address = parseAddress(text)
    return address !== null && book.find(address) === true
  }
}

/** The part of an address that limits count by; an address that cannot be read counts as one with all its like. */
export function addressKey(text: string): string {
  const address = parseAddress(text)
  if (address === null) return 'unknown'
  if (address instanceof ipaddr.IPv4) return address.toString()
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/** The network of a key of `addressKey`. */
function prefixOf(key: string): string {
  if (key.includes(':')) return `${key.split(':', 3).join(':')}::/48`
  const dot = key.lastIndexOf('.')
  return dot < 0 ? key : `${key.slice(0, dot)}.0/24`
}

function clientAt(address: string, rest: Pick<Client, 'chain' | 'viaProxy'>): Client {
  const key = addressKey(address)
  return { address, key, subject: `ip:${key}`, prefix: prefixOf(key), ...rest }
}

/** The client of a connection that comes from no trusted proxy. */
export function directClient(peer: string): Client {
  const address = parseAddress(peer)?.toString() ?? peer
  return clientAt(address, { chain: [address], viaProxy: false })
}

/**
 * The client behind a trusted peer: of X-Forwarded-For (or, without it, Forwarded; RFC 7239) the last address that is
 * no trusted proxy. What stands left of it anybody may have written; it is dropped.
 */
export function proxiedClient(
  peer: Client,
  fields: { readonly forwardedFor: string; readonly forwarded: string },
  trust: Trust,
): Client {
  const named =
    fields.forwardedFor === '' ? forwardedAddresses(fields.forwarded) : fields.forwardedFor.split(',')
  const chain = [peer.address]
  for (const text of named.slice(-mostHops).toReversed()) {
    const address = parseAddress(withoutPort(text.trim()))?.toString()
    if (address === undefined) break
    chain.unshift(address)
    if (!trust(address)) break
  }
  const address = chain[0] ?? peer.address
  return clientAt(address, { chain, viaProxy: true })
}

function forwardedAddresses(forwarded: string): readonly string[] {
  if (forwarded === '') return []
  return forwarded.split(',').map((element) => /(?:^|;)\s*for="?([^";]+)"?/i.exec(element)?.[1] ?? '')
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1]
  return bracketed ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
}
