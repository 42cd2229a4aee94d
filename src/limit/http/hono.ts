import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from '../port.ts'
import { createGuard } from './guard.ts'
import type { HttpOptions, HttpRequest, HttpRules, Outcome } from './port.ts'

export type { HttpOptions, HttpRule, HttpRules } from './port.ts'

/** What the middleware needs of a context of Hono 4. */
export interface HonoContext {
  readonly req: {
    readonly method: string
    readonly url: string
    header(name: string): string | undefined
  }
  readonly env: unknown
  readonly res: Response
}

/** A middleware of Hono. */
export type HonoMiddleware<Context> = (
  context: Context,
  next: () => Promise<void>,
) => Promise<Response | undefined>

/** Options of the middleware. */
export interface HonoOptions<Context> extends HttpOptions<Context> {
  /** Reads the address of the other end. Default: of the connection, with @hono/node-server. */
  readonly address?: (context: Context) => string
}

/** What @hono/node-server puts into the environment. */
interface NodeBindings {
  readonly incoming?: IncomingMessage
  readonly outgoing?: ServerResponse
}

/**
 * Limits as a middleware of Hono 4: `app.use(limitHono(limits, rules))`, before the routes.
 *
 * @throws HoldfastError when a rule cannot be kept, see `createGuard`
 */
export function limitHono<Context extends HonoContext = HonoContext, Name extends string = string>(
  limits: Limits<Name>,
  rules: HttpRules<Context, Name>,
  options: HonoOptions<Context> = {},
): HonoMiddleware<Context> {
  const guard = createGuard<Context>(limits, rules, options)
  const addressOf = options.address ?? peerOf
  return async (context, next) => {
    const outcome = await guard(httpRequestOf(context, addressOf(context)))
    if (outcome === undefined) {
      await next()
      return undefined
    }
    if (outcome.refusal !== null) {
      end(context, outcome)
      const { status, body, type } = outcome.refusal
      return new Response(body, { status, headers: [...outcome.fields.map(copy), ['Content-Type', type]] })
    }
    try {
      await next()
    } finally {
      end(context, outcome)
    }
    for (const [name, value] of outcome.fields) context.res.headers.set(name, value)
    return undefined
  }
}

function copy([name, value]: readonly [string, string]): [string, string] {
  return [name, value]
}

function httpRequestOf<Context extends HonoContext>(context: Context, peer: string): HttpRequest<Context> {
  const { req } = context
  return { request: context, method: req.method, target: req.url, peer, field: (name) => req.header(name) }
}

function peerOf({ env }: HonoContext): string {
  return (env as NodeBindings | undefined)?.incoming?.socket?.remoteAddress ?? ''
}

/** The end of an answer is that of the connection where there is one, since a body may still stream. */
function end({ env }: HonoContext, { done }: Outcome): void {
  if (done === undefined) return
  const outgoing = (env as NodeBindings | undefined)?.outgoing
  if (outgoing === undefined || outgoing.closed || outgoing.destroyed) done()
  else outgoing.once('close', done)
}
