import { HoldfastError } from '../../../kernel/std/index.ts'

/** Names of this machine on itself. */
const loopbackNames = ['localhost', '127.0.0.1', '::1']

/** Whether an address can be reached from this machine only. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address)
}

/** The name in a `Host` header, without port and brackets, lower case; null: it is not sound. */
export function hostName(header: string | undefined): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? '')
  return match === null ? null : (match[1] ?? match[2] ?? '').toLowerCase()
}

/** Which names of this server are believed. */
export interface HostRule {
  /** Where it listens. */
  readonly host: string
  /** Further names under which people reach it. */
  readonly hosts: readonly string[]
}

/**
 * Refuses names that are not ours: a page of a stranger that lets its own name point here (DNS rebinding) still
 * says its own name. Errors: `control.wrong-host`.
 */
export function refuseStrangeHost(header: string | undefined, rule: HostRule): void {
  const name = hostName(header)
  const own = [...loopbackNames, rule.host, ...rule.hosts].map((known) => known.toLowerCase())
  if (name !== null && own.includes(name)) return
  throw new HoldfastError({
    code: 'control.wrong-host',
    kind: 'user',
    message: `control does not go by the name ${JSON.stringify((header ?? '').slice(0, 100))}`,
    hint: 'use http://127.0.0.1, or add the name to "control.hosts" in the environment file',
  })
}

/** The headers that tell where a request comes from. */
export interface OriginParts {
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  readonly hasCookie: boolean
}

function crossOrigin(because: string): HoldfastError {
  return new HoldfastError({
    code: 'control.cross-origin',
    kind: 'user',
    message: `control answers no request from another site: ${because}`,
    hint: 'programs send a token as "Authorization: Bearer ..." and neither cookie nor Origin',
  })
}

/**
 * Refuses what another site's page sends: any foreign `Origin`, any cross-site request that is no navigation, and,
 * with a cookie, whatever may change something and does not say where it comes from. Errors: `control.cross-origin`.
 */
export function refuseCrossOrigin(parts: OriginParts): void {
  const { method, scheme, host, origin } = parts
  const own = `${scheme}://${host ?? ''}`.toLowerCase()
  if (origin !== undefined && origin.toLowerCase() !== own) throw crossOrigin(origin.slice(0, 100))
  if (method !== 'GET' && method !== 'HEAD') refuseCrossSiteChange(parts)
}

function refuseCrossSiteChange({ origin, fetchSite, hasCookie }: OriginParts): void {
  if (fetchSite !== undefined && !['same-origin', 'none'].includes(fetchSite)) {
    throw crossOrigin(`Sec-Fetch-Site is ${fetchSite.slice(0, 20)}`)
  }
  const saysWhere = origin !== undefined || fetchSite === 'same-origin'
  if (hasCookie && !saysWhere) throw crossOrigin('a cookie came without an Origin')
}
