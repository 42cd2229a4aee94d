import { consoleCookie } from '../../../contracts/console-cookie.ts'

/** Why a request is not taken: the answer's status and a sentence. The connection is closed after it. */
export interface Fault {
  readonly status: number
  readonly detail: string
}

/** What the head of a request says, read once; everything later works from this and never from the raw fields. */
export interface RequestHead {
  /** Host and port as the client named them, lower case; empty only for HTTP/1.0 without a Host field. */
  authority: string
  /** -1: not given. */
  contentLength: number
  chunked: boolean
  /** Value of Upgrade, lower case, when Connection lists it; otherwise empty. */
  upgrade: string
  accept: string
  /** X-Forwarded-For, X-Forwarded-Proto and Forwarded as received, joined; believed only from trusted peers. */
  forwardedFor: string
  forwardedProto: string
  forwarded: string
  via: string
  /** The fields that may go on to the origin: name, value, name, value ... */
  readonly fields: string[]
}

/** Most fields in a head. */
export const mostFields = 100

const hostShape = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/

/**
 * Fields that are never forwarded as they came. Hop-by-hop: RFC 9110, 7.6.1. Framing and Host are written anew;
 * forwarding fields are derived; the last three would let a client choose another route than the one that was limited.
 */
const special: ReadonlySet<string> = new Set([
  'connection',
  'cookie',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'content-length',
  'host',
  'expect',
  'forwarded',
  'via',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-original-uri',
])

interface Reading {
  readonly head: RequestHead
  hosts: number
  connection: string
  transferEncoding: string
  expect: string
  upgrade: string
  fault: Fault | null
}

const fault = (status: number, detail: string): Fault => ({ status, detail })

/**
 * Reads and checks a head: RFC 9112 and section 7.1 of its lessons, over what Node's parser lets through. Returns the
 * head or why the request is refused.
 */
export function readHead(
  rawFields: readonly string[],
  httpVersion: string,
  target: string,
): RequestHead | Fault {
  if (rawFields.length > 2 * mostFields) return fault(431, `more than ${mostFields} header fields`)
  const reading: Reading = {
    head: {
      authority: '',
      contentLength: -1,
      chunked: false,
      upgrade: '',
      accept: '',
      forwardedFor: '',
      forwardedProto: '',
      forwarded: '',
      via: '',
      fields: [],
    },
    hosts: 0,
    connection: '',
    transferEncoding: '',
    expect: '',
    upgrade: '',
    fault: null,
  }
  for (let index = 0; index < rawFields.length; index += 2) {
    readField(reading, rawFields[index] ?? '', rawFields[index + 1] ?? '')
  }
  if (reading.connection !== '') dropListed(reading)
  return (
    reading.fault ??
    checkFraming(reading, httpVersion) ??
    checkHost(reading, httpVersion, target) ??
    reading.head
  )
}

/** Whether reading a head gave a fault. */
export function isFault(read: RequestHead | Fault): read is Fault {
  return 'status' in read
}

function readField(reading: Reading, rawName: string, value: string): void {
  const name = rawName.toLowerCase()
  const { head } = reading
  if (special.has(name)) readSpecial(reading, name, value)
  else if (name.startsWith('x-forwarded-')) readForwarded(head, name, value)
  // Origins in the manner of CGI take `Content_Length` for `Content-Length`.
  else if (!name.includes('_')) {
    if (name === 'accept') head.accept = head.accept === '' ? value : `${head.accept}, ${value}`
    head.fields.push(rawName, value)
  }
}

function readForwarded(head: RequestHead, name: string, value: string): void {
  if (name === 'x-forwarded-for') head.forwardedFor = join(head.forwardedFor, value)
  else if (name === 'x-forwarded-proto') head.forwardedProto = value
}

function join(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`
}

/** Browsers send cookies to every port of a host: the session of Holdfast's console is not the service's to see. */
function withoutConsoleSession(cookies: string): string {
  if (!cookies.includes(consoleCookie)) return cookies
  const others = cookies.split(';').filter((cookie) => cookie.trim().split('=')[0] !== consoleCookie)
  return others.join(';').trim()
}

type Reader = (reading: Reading, value: string) => void

const readers: Readonly<Record<string, Reader>> = Object.assign(Object.create(null) as object, {
  host: (reading, value) => {
    reading.hosts++
    reading.head.authority = value.toLowerCase()
  },
  connection: (reading, value) => {
    reading.connection = join(reading.connection, value.toLowerCase())
  },
  'content-length': (reading, value) => {
    const known = reading.head.contentLength
    if (!/^[0-9]{1,15}$/.test(value) || (known >= 0 && known !== Number(value))) {
      reading.fault = fault(400, 'the Content-Length is not a number')
    } else reading.head.contentLength = Number(value)
  },
  'transfer-encoding': (reading, value) => {
    reading.transferEncoding = join(reading.transferEncoding, value.toLowerCase())
    reading.head.chunked = true
  },
  expect: (reading, value) => {
    reading.expect = value.toLowerCase()
  },
  upgrade: (reading, value) => {
    reading.upgrade = value.toLowerCase()
  },
  via: (reading, value) => {
    reading.head.via = join(reading.head.via, value)
  },
  cookie: ({ head }, value) => {
    const kept = withoutConsoleSession(value)
    if (kept !== '') head.fields.push('cookie', kept)
  },
  forwarded: (reading, value) => {
    reading.head.forwarded = join(reading.head.forwarded, value)
  },
} satisfies Record<string, Reader>)

function readSpecial(reading: Reading, name: string, value: string): void {
  readers[name]?.(reading, value)
}

function dropListed({ head, connection, upgrade }: Reading): void {
  if (connection === 'keep-alive' || connection === 'close') return
  const listed = connection.split(',').map((name) => name.trim())
  if (listed.includes('upgrade')) head.upgrade = upgrade
  const extra = listed.filter((name) => name !== 'keep-alive' && name !== 'close' && name !== 'upgrade')
  if (extra.length === 0) return
  const kept: string[] = []
  for (let index = 0; index < head.fields.length; index += 2) {
    const name = head.fields[index] ?? ''
    if (!extra.includes(name.toLowerCase())) kept.push(name, head.fields[index + 1] ?? '')
  }
  head.fields.splice(0, head.fields.length, ...kept)
}

function checkFraming(reading: Reading, httpVersion: string): Fault | null {
  if (!httpVersion.startsWith('1.')) return fault(505, 'this is neither HTTP/1.0 nor HTTP/1.1')
  const { head, transferEncoding, expect } = reading
  if (head.chunked && httpVersion === '1.0') return fault(400, 'HTTP/1.0 has no Transfer-Encoding')
  if (head.chunked && head.contentLength >= 0) return fault(400, 'both Content-Length and Transfer-Encoding')
  if (head.chunked && transferEncoding !== 'chunked')
    return fault(501, 'the only Transfer-Encoding here is chunked')
  if (expect !== '' && expect !== '100-continue')
    return fault(417, 'the only expectation here is 100-continue')
  return null
}

function checkHost({ head, hosts }: Reading, httpVersion: string, target: string): Fault | null {
  if (hosts > 1) return fault(400, 'more than one Host')
  if (hosts === 1 && !hostShape.test(head.authority)) return fault(400, 'the Host is not valid')
  if (hosts === 0 && httpVersion !== '1.0') return fault(400, 'there is no Host')
  return target.startsWith('/') || target === '*' ? null : takeAuthority(head, hosts, target)
}

/** Absolute form: the target's authority is the one that counts, and Host must agree (RFC 9112, 3.2.2). */
function takeAuthority(head: RequestHead, hosts: number, target: string): Fault | null {
  const authority = /^https?:\/\/([^/?#]*)/i.exec(target)?.[1]?.toLowerCase() ?? ''
  if (!hostShape.test(authority)) return fault(400, 'the request target is not valid')
  if (hosts === 1 && head.authority !== authority) return fault(400, 'the request target and the Host differ')
  head.authority = authority
  return null
}
