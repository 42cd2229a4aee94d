import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from '../port.ts'
import { createGuard } from './guard.ts'
import { nodeDoor } from './node.ts'
import type { HttpOptions, HttpRules } from './port.ts'

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
  const door = nodeDoor<Request>((request) => request.originalUrl ?? request.url ?? '/')
  const guard = createGuard<Request, ServerResponse>(rules, { limits, door, options })
  return (request, response, next) => {
    const goesOn = guard(request, response)
    if (goesOn === true) return next()
    if (goesOn === false) return
    const go = (may: boolean): void => {
      if (may) next()
    }
    goesOn.then(go, next)
  }
}
