import ipaddr from 'ipaddr.js'

/** Who is at the other end, as far as it can be known. */
export interface Client {
  /** Address in its canonical text. */
  readonly address: string
  /** What limits per ip count: the IPv4 address, or the first 64 bits of an IPv6 address. */
  readonly key: string
  /** Addresses to be named in X-Forwarded-For: the client, then the trusted proxies down to the peer. */
  readonly chain: readonly string[]
  /** Whether the peer is a trusted proxy, whose word about scheme and client counts. */
  readonly viaProxy: boolean
}

/** Tells whether an address belongs to a trusted proxy. */
export type Trust = (address: string) => boolean

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Addresses that are read of an X-Forwarded-For, from the right. */
const mostHops = 16

function parse(text: string): Address | null {
  return ipaddr.isValid(text) ? ipaddr.process(text) : null
}

/** Builds the test for trusted proxies from addresses and CIDR ranges that have been checked before. */
export function createTrust(ranges: readonly string[]): Trust {
  const parsed = ranges.map((range) =>
    range.includes('/') ? ipaddr.parseCIDR(range) : ([parse(range), null] as const),
  )
  if (parsed.length === 0) return () => false
  return (text) => {
    const address = parse(text)
    if (address === null) return false
    return parsed.some(([base, bits]) => {
      if (base === null || base.kind() !== address.kind()) return false
      return address.match(base, bits ?? (address.kind() === 'ipv4' ? 32 : 128))
    })
  }
}

/** The part of an address that limits count by; an address that cannot be read counts as one with all its like. */
export function addressKey(text: string): string {
  const address = parse(text)
  if (address === null) return 'unknown'
  if (address instanceof ipaddr.IPv4) return address.toString()
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/** The client of a connection that comes from no trusted proxy. */
export function directClient(peer: string): Client {
  const address = parse(peer)?.toString() ?? peer
  return { address, key: addressKey(peer), chain: [address], viaProxy: false }
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
    const address = parse(withoutPort(text.trim()))?.toString()
    if (address === undefined) break
    chain.unshift(address)
    if (!trust(address)) break
  }
  const address = chain[0] ?? peer.address
  return { address, key: addressKey(address), chain, viaProxy: true }
}

function forwardedAddresses(forwarded: string): readonly string[] {
  if (forwarded === '') return []
  return forwarded.split(',').map((element) => /(?:^|;)\s*for="?([^";]+)"?/i.exec(element)?.[1] ?? '')
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1]
  return bracketed ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
}
