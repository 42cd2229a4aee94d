import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from '../port.ts'
import { createGuard } from './guard.ts'
import type { HttpOptions, HttpRequest, HttpRules, Outcome } from './port.ts'

export type { HttpOptions, HttpRule, HttpRules } from './port.ts'

/** What `http.createServer` takes. */
export type Handler<Request, Response> = (request: Request, response: Response) => void

/**
 * Puts limits before a handler of `node:http`: `createServer(limitHttp(limits, rules)(handler))`. What is refused is
 * answered; the handler sees the rest.
 *
 * @throws HoldfastError when a rule cannot be kept, see `createGuard`
 */
export function limitHttp<Request extends IncomingMessage = IncomingMessage, Name extends string = string>(
  limits: Limits<Name>,
  rules: HttpRules<Request, Name>,
  options: HttpOptions<Request> = {},
): <Response extends ServerResponse>(handler: Handler<Request, Response>) => Handler<Request, Response> {
  const guard = createGuard<Request>(limits, rules, options)
  return (handler) => (request, response) => {
    const outcome = guard(new NodeRequest(request, request, request.url ?? '/'))
    if (outcome === undefined) return handler(request, response)
    if (!(outcome instanceof Promise)) {
      if (answer(outcome, response)) handler(request, response)
      return
    }
    const go = (decided: Outcome): void => {
      if (answer(decided, response)) handler(request, response)
    }
    outcome.then(go, () => void response.writeHead(500).end())
  }
}

/** A request of node:http, or of a framework that stands on it: `raw` is the one of node:http. */
export class NodeRequest<Request> implements HttpRequest<Request> {
  readonly request: Request
  readonly target: string
  readonly #raw: IncomingMessage

  constructor(request: Request, raw: IncomingMessage, target: string) {
    this.request = request
    this.target = target
    this.#raw = raw
  }

  /** In upper case. */
  get method(): string {
    return this.#raw.method ?? 'GET'
  }

  /** Empty when the connection is gone. */
  get peer(): string {
    return this.#raw.socket.remoteAddress ?? ''
  }

  /** Reads a header field. */
  field(name: string): string | undefined {
    const value = this.#raw.headers[name]
    return Array.isArray(value) ? value.join(',') : value
  }
}

/** Writes the fields and, if it is refused, the answer; true when the request may go on. */
export function answer({ fields, refusal, done }: Outcome, response: ServerResponse): boolean {
  for (const [name, value] of fields) response.setHeader(name, value)
  if (done !== undefined) finished(response, done)
  if (refusal === null) return true
  response.statusCode = refusal.status
  response.setHeader('Content-Type', refusal.type)
  response.setHeader('Content-Length', Buffer.byteLength(refusal.body))
  response.end(refusal.body)
  return false
}

/** A connection may be gone before anybody listens for its end. */
function finished(response: ServerResponse, done: () => void): void {
  if (response.closed || response.destroyed) done()
  else response.once('close', done)
}
