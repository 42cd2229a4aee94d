import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from '../port.ts'
import { createGuard } from './guard.ts'
import { answer, NodeRequest } from './node.ts'
import type { HttpOptions, HttpRules, Outcome } from './port.ts'

export type { HttpOptions, HttpRule, HttpRules } from './port.ts'

/** What Express gives a middleware beside the request of node:http. */
export interface ExpressRequest extends IncomingMessage {
  readonly originalUrl?: string
}

/** A middleware of Express 4 and 5, Connect and the like. */
export type ExpressMiddleware<Request> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Limits as a middleware of Express 4 and 5: `app.use(limitExpress(limits, rules))`, before the routes. Rules name
 * routes by their full path, wherever the middleware is mounted.
 *
 * @throws HoldfastError when a rule cannot be kept, see `createGuard`
 */
export function limitExpress<Request extends ExpressRequest = ExpressRequest, Name extends string = string>(
  limits: Limits<Name>,
  rules: HttpRules<Request, Name>,
  options: HttpOptions<Request> = {},
): ExpressMiddleware<Request> {
  const guard = createGuard<Request>(limits, rules, options)
  return (request, response, next) => {
    const outcome = guard(new NodeRequest(request, request, request.originalUrl ?? request.url ?? '/'))
    if (outcome === undefined) return next()
    if (!(outcome instanceof Promise)) {
      if (answer(outcome, response)) next()
      return
    }
    const go = (decided: Outcome): void => {
      if (answer(decided, response)) next()
    }
    outcome.then(go, next)
  }
}
