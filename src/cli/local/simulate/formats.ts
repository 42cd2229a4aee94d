import type { LoggedRequest } from '../../../server/replay/index.ts'
/** Reads one line; null: it is none of this format. */
export type LineParser = (line: string) => LoggedRequest | null

/** Formats that are understood. */
export const logFormats = ['auto', 'combined', 'caddy', 'json'] as const

/** How a log is written. */
export type LogFormat = (typeof logFormats)[number]

/** A parser for a format, or the one that a line looks like. */
export function parserFor(format: LogFormat, line: string): LineParser {
  if (format === 'auto') return line.trimStart().startsWith('{') ? parseJson : createCombinedParser()
  return format === 'combined' ? createCombinedParser() : parseJson
}

const months: Readonly<Record<string, number>> = Object.fromEntries(
  ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map(
    (name, index) => [name, index] as const,
  ),
)

const logTime = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/

/** `10/Oct/2026:13:55:36 -0700`, milliseconds since the epoch; NaN: it is no time. */
function parseLogTime(text: string): number {
  const match = logTime.exec(text)
  const month = months[match?.[2] ?? '']
  if (match === null || month === undefined) return Number.NaN
  const [, day, , year, hour, minute, second, sign, zoneHours, zoneMinutes] = match
  const local = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second))
  const offsetMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000
  return sign === '-' ? local + offsetMs : local - offsetMs
}

/**
 * The combined and common formats of nginx and Apache: `address ident user [time] "request" status bytes "referer"
 * "agent"`; in front of it there may be a virtual host, as Apache's `vhost_combined` writes it.
 */
export function createCombinedParser(): LineParser {
  let [lastText, lastMs] = ['', Number.NaN]
  const timeOf = (text: string): number => {
    // Most lines are of the same second as the one before.
    if (text !== lastText) [lastText, lastMs] = [text, parseLogTime(text)]
    return lastMs
  }
  return (line) => {
    const open = line.indexOf(' [')
    const close = line.indexOf('] "', open)
    if (open < 0 || close < 0) return null
    const atMs = timeOf(line.slice(open + 2, close))
    const request = quoted(line, close + 2)
    const sender = senderOf(line.slice(0, open).split(' '))
    if (Number.isNaN(atMs) || request === null || sender === null) return null
    const [method = '', target = ''] = request.text.split(' ', 2)
    const status = Number(line.slice(request.end + 2, request.end + 5)) || 0
    return {
      atMs,
      ...sender,
      method,
      target: target || '/',
      userAgent: agentAfter(line, request.end),
      status,
    }
  }
}

/** `address ident user`, with a virtual host in front or not. */
function senderOf(head: readonly string[]): Pick<LoggedRequest, 'address' | 'host' | 'user'> | null {
  if (head.length < 3) return null
  const [address = '', , user = ''] = head.slice(-3)
  return { address, host: head.length > 3 ? withoutPort(head[0] ?? '') : '', user: blank(user) }
}

function agentAfter(line: string, end: number): string {
  const at = line.lastIndexOf(' "')
  return at > end ? blank(line.slice(at + 2, -1)) : ''
}

/** What stands between quotes; a quote within is written with a backslash. */
function quoted(line: string, from: number): { readonly text: string; readonly end: number } | null {
  let end = line.indexOf('"', from + 1)
  while (end > 0 && line[end - 1] === '\\') end = line.indexOf('"', end + 1)
  return end < 0 ? null : { text: line.slice(from + 1, end), end }
}

const blank = (text: string): string => (text === '-' ? '' : text)
const withoutPort = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

function textIn(fields: Fields, names: readonly string[]): string {
  for (const name of names) {
    const value = fields[name]
    if (typeof value === 'string' && value !== '') return blank(value)
    if (typeof value === 'number') return String(value)
  }
  return ''
}

const names = {
  time: ['time', 'ts', 'timestamp', '@timestamp', 'time_iso8601', 'msec', 'at'],
  address: ['client_ip', 'remote_ip', 'remote_addr', 'ip', 'clientip', 'address'],
  method: ['method', 'request_method', 'verb'],
  target: ['uri', 'request_uri', 'url', 'path', 'target'],
  host: ['host', 'http_host', 'server_name'],
  user: ['user_id', 'user', 'remote_user'],
  agent: ['user_agent', 'http_user_agent', 'userAgent', 'agent'],
} as const

/** Seconds or milliseconds since the epoch, ISO 8601, or as nginx writes times. */
function parseTime(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) {
    const iso = Date.parse(text)
    return Number.isNaN(iso) ? parseLogTime(text) : iso
  }
  const number = Number(text)
  return Math.round(number < 1e11 ? number * 1000 : number)
}

/** Caddy's JSON, and any other JSON lines with fields of common names. */
export function parseJson(line: string): LoggedRequest | null {
  const fields = read(line)
  if (fields === null) return null
  const entry = entryOf(fields, isFields(fields['request']) ? fields['request'] : {})
  const isWhole = [entry.address, entry.method, entry.target].every((text) => text !== '')
  return isWhole && !Number.isNaN(entry.atMs) ? entry : null
}

function entryOf(fields: Fields, nested: Fields): LoggedRequest {
  const text = (of: readonly string[]): string => textIn(nested, of) || textIn(fields, of)
  const [method = '', target = ''] = textIn(fields, ['request']).split(' ', 2)
  return {
    atMs: parseTime(textIn(fields, names.time)),
    address: text(names.address),
    method: text(names.method) || method,
    target: text(names.target) || target,
    host: withoutPort(text(names.host)),
    user: text(names.user),
    userAgent: text(names.agent) || agentIn(nested),
    status: Number(textIn(fields, ['status'])) || 0,
  }
}

function read(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line)
    return isFields(value) ? value : null
  } catch {
    return null
  }
}

/** Caddy writes fields as lists of values. */
function agentIn(request: Fields): string {
  const headers = request['headers']
  const values = isFields(headers) ? headers['User-Agent'] : undefined
  const first: unknown = Array.isArray(values) ? values[0] : undefined
  return typeof first === 'string' ? first : ''
}
