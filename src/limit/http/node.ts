import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from '../port.ts'
import { createGuard } from './guard.ts'
import type { Door, HttpOptions, HttpRules } from './port.ts'

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
  const door = nodeDoor<Request>((request) => request.url ?? '/')
  const guard = createGuard<Request, ServerResponse>(rules, { limits, door, options })
  return (handler) => (request, response) => {
    const goesOn = guard(request, response)
    if (goesOn === true) return handler(request, response)
    if (goesOn === false) return
    goesOn.then(
      (may) => may && handler(request, response),
      () => void response.writeHead(500).end(),
    )
  }
}

/** Speaks to node:http, and to what hands its requests on. */
export function nodeDoor<Request extends IncomingMessage>(
  target: (request: Request) => string,
): Door<Request, ServerResponse> {
  return {
    method: methodOf,
    target,
    peer: peerOf,
    field: fieldOf,
    set: (response, name, value) => void response.setHeader(name, value),
    atEnd,
    refuse: (response, { status, type, body }) => {
      response.statusCode = status
      response.setHeader('content-type', type)
      response.setHeader('content-length', Buffer.byteLength(body))
      response.end(body)
    },
  }
}

/** In upper case. */
export function methodOf(request: IncomingMessage): string {
  return request.method ?? 'GET'
}

/** Empty when the connection is gone. */
export function peerOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? ''
}

/** Reads a header field. */
export function fieldOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

/** Calls when the answer is out; a connection may be gone before anybody listens for its end. */
export function atEnd(response: ServerResponse, done: () => void): void {
  if (response.closed || response.destroyed) done()
  else response.once('close', done)
}
