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
    const { userAgent, rest } = tailOf(line, request.end)
    return {
      atMs,
      durationMs: durationIn(rest),
      ...sender,
      method,
      target: target || '/',
      userAgent,
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

/** Behind the request: status, bytes, `"referer" "agent"`, and whatever else a format writes. */
function tailOf(line: string, end: number): { readonly userAgent: string; readonly rest: string } {
  const none = { userAgent: '', rest: line.slice(end + 1) }
  const open = line.indexOf(' "', end)
  const referer = open < 0 ? null : quoted(line, open + 1)
  const agent = referer === null ? null : quoted(line, referer.end + 2)
  if (agent === null || line[agent.start] !== '"') return none
  return { userAgent: blank(agent.text), rest: line.slice(agent.end + 1) }
}

/** What nginx writes for `$request_time`, wherever a format puts it: seconds with three decimals, named or first. */
const requestTime = /(?:^|\s)"?(?:(?:request_time|rt)[=:]"?)?(\d+\.\d{3})(?=["\s]|$)/

function durationIn(rest: string): number | null {
  const seconds = requestTime.exec(rest)?.[1]
  return seconds === undefined ? null : Math.round(Number(seconds) * 1000)
}

interface Quoted {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What stands between quotes; a quote within is written with a backslash. */
function quoted(line: string, from: number): Quoted | null {
  let end = line.indexOf('"', from + 1)
  while (end > 0 && line[end - 1] === '\\') end = line.indexOf('"', end + 1)
  return end < 0 ? null : { text: line.slice(from + 1, end), start: from, end }
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

/** Names of durations, with the milliseconds of what they are written in. */
const durations = [
  [1000, ['duration', 'request_time', 'duration_s']],
  [
    1,
    [
      'duration_ms',
      'durationMs',
      'request_time_ms',
      'responseTime',
      'response_time_ms',
      'elapsed_ms',
      'latency_ms',
    ],
  ],
] as const

/** Of Go's durations as text. */
const goUnits: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  µs: 1e-3,
  us: 1e-3,
  ns: 1e-6,
}

/** `1m2.5s` and the like, which Caddy writes if it is told to; null: it is no duration. */
function parseGoDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|µs|us|ns))+$/.test(text)) return null
  return [...text.matchAll(/([\d.]+)([a-zµ]+)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (goUnits[unit] ?? 0),
    0,
  )
}

function durationOf(fields: Fields): number | null {
  for (const [unitMs, known] of durations) {
    const text = textIn(fields, known)
    const number = /^\d+(?:\.\d+)?(?:e-?\d+)?$/.test(text) ? Number(text) * unitMs : parseGoDuration(text)
    if (number !== null) return Math.round(number)
  }
  return null
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
    durationMs: durationOf(fields),
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
