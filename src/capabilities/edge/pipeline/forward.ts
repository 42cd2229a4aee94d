import type { Client } from './keys/index.ts'
import type { RequestHead } from './head.ts'

/** What the origin is told about where a request came from. */
export interface Provenance {
  readonly client: Client
  readonly scheme: 'http' | 'https'
  /** How this edge names itself in Via; no other edge has the same. */
  readonly pseudonym: string
  readonly httpVersion: string
}

/** Whether a request has been through this edge already (RFC 9110, 7.6.3). */
export function isLoop(head: RequestHead, pseudonym: string): boolean {
  return head.via !== '' && head.via.split(',').some((hop) => hop.trim().split(/\s+/)[1] === pseudonym)
}

/** The scheme that the client used: a trusted proxy's word, or the connection's own. */
export function schemeOf(head: RequestHead, client: Client, isSecure: boolean): 'http' | 'https' {
  const named = client.viaProxy ? head.forwardedProto.trim().toLowerCase() : ''
  if (named === 'http' || named === 'https') return named
  return isSecure ? 'https' : 'http'
}

/** What a request without a Host is for: the address that it came to. */
export function ownAuthority(address: string, port: number): string {
  const plain = address.replace(/^::ffff:(?=[0-9.]+$)/i, '')
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}

/**
 * The fields of the request to the origin, but for framing: name, value, name, value ... Forwarding fields are derived
 * here and nowhere else; what a client wrote into them is gone by now.
 */
export function originFields(head: RequestHead, from: Provenance): string[] {
  const { client, scheme, pseudonym, httpVersion } = from
  const fields = head.fields
  const via = `${httpVersion} ${pseudonym}`
  fields.push(
    'host',
    head.authority,
    'x-forwarded-for',
    client.chain.length === 1 ? client.address : client.chain.join(', '),
    'x-forwarded-proto',
    scheme,
    'x-forwarded-host',
    head.authority,
    'x-real-ip',
    client.address,
    'forwarded',
    forwarded(client, scheme, head.authority),
    'via',
    head.via === '' ? via : `${head.via}, ${via}`,
  )
  return fields
}

const readEverywhere: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Whether an origin may leave the body of a request unread and take it for the next request: many handlers do so with
 * the body of a GET, and servers of HTTP/1.0 with chunks. It is told to close the connection, and so it reads on nothing.
 */
export function mayGoUnread({ chunked, contentLength }: RequestHead, method: string): boolean {
  return chunked || (contentLength > 0 && !readEverywhere.has(method))
}

function forwarded({ chain }: Client, scheme: string, authority: string): string {
  const first = `for=${node(chain[0] ?? '')};host="${authority}";proto=${scheme}`
  if (chain.length === 1) return first
  return [first, ...chain.slice(1).map((address) => `for=${node(address)}`)].join(', ')
}

/** RFC 7239, 6: an IPv6 address stands in brackets and quotes. */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}
