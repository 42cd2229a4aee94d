import { BlockList, isIP, isIPv4 } from 'node:net'
import { HoldfastError } from '../../kernel/std/index.ts'
import { remembering } from '../remembering.ts'
import type { ReadRequest } from './port.ts'

/** Finds what counts as one client: the IPv4 address, or the first 64 bits of an IPv6 address. */
export type ClientReader<Request> = (request: Request) => string

type Reads<Request> = Pick<ReadRequest<Request>, 'peer' | 'field'>

const mostHops = 16
const mappedPrefix = '::ffff:'

/**
 * Reads clients. Forwarding fields (`X-Forwarded-For`, else `Forwarded`, RFC 7239) count only when the peer is one of
 * the proxies (addresses or CIDR ranges); the client is the last address that is no proxy.
 *
 * @throws HoldfastError `limit.invalid-proxy`
 */
export function createClientReader<Request>(
  reads: Reads<Request>,
  proxies: readonly string[],
): ClientReader<Request> {
  const known = remembering(clientOf)
  if (proxies.length === 0) return (request) => known(reads.peer(request))
  const trusted = trustedList(proxies)
  const isTrusted = (address: string): boolean => {
    const family = isIP(address)
    return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  return (request) => {
    let client = unmapped(reads.peer(request))
    if (!isTrusted(client)) return known(client)
    const hops = forwardedFor(reads, request).slice(-mostHops)
    for (const text of hops.toReversed()) {
      const address = unmapped(withoutPort(text.trim()))
      if (isIP(address) === 0) break
      client = address
      if (!isTrusted(address)) break
    }
    return known(client)
  }
}

/** What an address counts as; one that cannot be read counts as one with all its like. */
export function clientOf(peer: string): string {
  const address = unmapped(peer)
  if (isIPv4(address)) return address
  const [text = ''] = address.split('%')
  if (isIP(text) !== 6) return 'unknown'
  return `${groupsOf(text).slice(0, 4).join(':')}::/64`
}

/** An IPv4 address that a socket for both families names the IPv6 way. */
function unmapped(address: string): string {
  return address.startsWith(mappedPrefix) && address.includes('.')
    ? address.slice(mappedPrefix.length)
    : address
}

function groupsOf(address: string): readonly string[] {
  const [left = '', right] = address.toLowerCase().split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  // A dotted quad at the end stands for two groups.
  const places = 8 - head.length - tail.length - (address.includes('.') ? 1 : 0)
  const zeros = right === undefined ? [] : Array.from({ length: Math.max(0, places) }, () => '0')
  return [...head, ...zeros, ...tail].map((group) => group.replace(/^0+(?=.)/, ''))
}

function forwardedFor<Request>(reads: Reads<Request>, request: Request): string[] {
  const list = reads.field(request, 'x-forwarded-for')
  if (list !== undefined && list !== '') return list.split(',')
  const forwarded = reads.field(request, 'forwarded') ?? ''
  return forwarded.split(',').map((element) => /(?:^|;)\s*for="?([^";]+)"?/i.exec(element)?.[1] ?? '')
}

function withoutPort(text: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
}

function trustedList(proxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/')
    const family = isIP(address)
    const most = family === 4 ? 32 : 128
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (family === 0 || prefix < 0 || prefix > most) throw invalidProxy(proxy)
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

function invalidProxy(proxy: string): HoldfastError {
  return new HoldfastError({
    code: 'limit.invalid-proxy',
    kind: 'user',
    message: `"${proxy}" is no address and no range of addresses.`,
    hint: 'Write proxies as "10.0.0.1", "10.0.0.0/8" or "fd00::/8".',
  })
}
