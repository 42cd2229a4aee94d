import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { HoldfastError } from '../../kernel/std/index.ts'
import type { ControlAddress } from '../port.ts'

/** How a call of an operation ended. */
export type Answer =
  | { readonly kind: 'done'; readonly body: unknown }
  | Denial
  /** Nobody answered in time, or what answered was not control or was overloaded. */
  | { readonly kind: 'away'; readonly because: string; readonly retryAfterMs: number }

/** Control answered that it will not do this (RFC 9457); asking the same again does not help. */
export interface Denial {
  readonly kind: 'denied'
  readonly status: number
  readonly code: string
  readonly detail: string
}

/** Calls operations. */
export interface Post {
  /** Never rejects. */
  call(operation: string, input: unknown): Promise<Answer>
  /** Closes idle connections. */
  close(): void
}

const defaultTimeoutMs = 200
const mostConnections = 8
const mostAnswerBytes = 1_048_576

/**
 * Opens the way to control: `POST /ops/<name>` over connections that are kept.
 *
 * @throws HoldfastError `limit.invalid-control`
 */
export function openPost({ url, token, timeoutMs = defaultTimeoutMs }: ControlAddress): Post {
  const base = readUrl(url)
  const isSecure = base.protocol === 'https:'
  const agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: mostConnections })
  const request = isSecure ? httpsRequest : httpRequest
  const call = (operation: string, input: unknown): Promise<Answer> => {
    const body = Buffer.from(JSON.stringify(input))
    const options: RequestOptions = {
      agent,
      method: 'POST',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': body.length,
      },
    }
    return new Promise((resolve) => {
      const fail = (error: Error): void => resolve(away(sayFailure(error, timeoutMs)))
      const sent = request(new URL(`ops/${operation}`, base), options, (response) => {
        response.on('error', fail)
        readAnswer(response, resolve)
      })
      sent.on('error', fail)
      sent.end(body)
    })
  }
  return { call, close: () => agent.destroy() }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol)) {
    return url.pathname.endsWith('/') ? url : new URL(`${url.pathname}/`, url)
  }
  throw new HoldfastError({
    code: 'limit.invalid-control',
    kind: 'user',
    message: `"${text}" is no URL of control.`,
    hint: 'Write it as http://127.0.0.1:8400.',
  })
}

function away(because: string, retryAfterMs = 0): Answer {
  return { kind: 'away', because, retryAfterMs }
}

function sayFailure(error: Error, timeoutMs: number): string {
  return error.name === 'TimeoutError' || error.name === 'AbortError'
    ? `it did not answer within ${timeoutMs} ms`
    : error.message || 'the connection broke'
}

function readAnswer(response: IncomingMessage, resolve: (answer: Answer) => void): void {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  response.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes > mostAnswerBytes) response.destroy(new Error('it answered more than a mebibyte'))
    else chunks.push(chunk)
  })
  response.on('end', () => resolve(judge(response, Buffer.concat(chunks).toString())))
}

/** 429 and 5xx say that control has too much to do: that is as good as away. */
function judge({ statusCode: status = 0, headers }: IncomingMessage, text: string): Answer {
  const body = parse(text)
  if (status === 200 && body !== undefined) return { kind: 'done', body }
  const { code, detail } = readProblem(body, status)
  if (status !== 429 && status < 500 && body !== undefined) return { kind: 'denied', status, code, detail }
  const seconds = Number(headers['retry-after'] ?? 0)
  return away(detail, Number.isFinite(seconds) ? seconds * 1000 : 0)
}

/** What control says of an error (RFC 9457), as far as it says so. */
function readProblem(body: unknown, status: number): { readonly code: string; readonly detail: string } {
  const { code, detail } = (body ?? {}) as { readonly code?: unknown; readonly detail?: unknown }
  return {
    code: typeof code === 'string' ? code : '',
    detail: typeof detail === 'string' ? detail : `it answered ${status}`,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
