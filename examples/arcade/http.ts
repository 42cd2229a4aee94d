import type { IncomingMessage, ServerResponse } from 'node:http'

/** A player. */
export interface Account {
  readonly id: number
  readonly handle: string
}

/** A request on its way through the game. */
export interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  /** What the path's placeholder stood for, if it has one. */
  readonly parameter: string
  /** Who is signed in. */
  readonly account: Account | undefined
}

/** What a route answers: JSON with a status; null when it has answered by itself. */
export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | null

/** Thrown by routes for whatever the player did wrong. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

const maxBodyBytes = 16 * 1024

/** Reads a JSON object from the body. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (!request.headers['content-type']?.startsWith('application/json'))
    throw new Refusal(415, 'send JSON, please')
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBodyBytes) throw new Refusal(413, `at most ${maxBodyBytes} bytes, please`)
    chunks.push(chunk)
  }
  return parseObject(Buffer.concat(chunks).toString('utf8'))
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Falls through: whatever it is, it is no object.
  }
  throw new Refusal(400, 'that is no JSON object')
}

/** A text field of a body, trimmed. */
export function textOf(body: Record<string, unknown>, field: string, maxLength: number): string {
  const value = body[field]
  const text = typeof value === 'string' ? value.trim() : ''
  if (text === '' || text.length > maxLength)
    throw new Refusal(400, `${field}: 1 to ${maxLength} characters, please`)
  return text
}

/** A whole number from the query, within bounds. */
export function numberOf(
  url: URL,
  name: string,
  { standard, most }: { standard: number; most: number },
): number {
  const value = Number(url.searchParams.get(name) ?? standard)
  if (!Number.isInteger(value) || value < 0) throw new Refusal(400, `${name}: a whole number, please`)
  return Math.min(value, most)
}

/** The player who is signed in, or a refusal. */
export function signedIn(visit: Visit): Account {
  if (visit.account === undefined) throw new Refusal(401, 'sign in first, please')
  return visit.account
}

/** A cookie of the request. */
export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const cookies = (request.headers.cookie ?? '').split(';').map((part) => part.trim())
  return cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Sends a route's answer. */
export function send(response: ServerResponse, answer: Answer): void {
  if (answer === null || response.headersSent) return
  const text = answer.body === undefined ? '' : JSON.stringify(answer.body)
  response.writeHead(answer.status, {
    'cache-control': 'no-store',
    ...(text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': Buffer.byteLength(text),
    ...answer.headers,
  })
  response.end(text)
}
