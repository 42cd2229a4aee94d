import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from '../port.ts'
import { createGuard } from './guard.ts'
import { atEnd } from './node.ts'
import type { Door, HttpOptions, HttpRules, Refused } from './port.ts'

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
  const door = honoDoor<Context>(options.address ?? peerOfContext)
  const guard = createGuard<Context, HonoReply>(rules, { limits, door, options })
  return async (context, next) => {
    const reply: HonoReply = { context, fields: [], refused: undefined, done: undefined }
    const goesOn = await guard(context, reply)
    const { fields, refused } = reply
    if (!goesOn && refused !== undefined) {
      end(reply)
      const headers = new Headers([...fields, ['content-type', refused.type]])
      return new Response(refused.body, { status: refused.status, headers })
    }
    try {
      await next()
    } finally {
      end(reply)
    }
    for (const [name, value] of fields) context.res.headers.set(name, value)
    return undefined
  }
}

/** What is to become of an answer that a handler has yet to make. */
interface HonoReply {
  readonly context: HonoContext
  readonly fields: [string, string][]
  refused: Refused | undefined
  done: (() => void) | undefined
}

function honoDoor<Context extends HonoContext>(peer: (context: Context) => string): Door<Context, HonoReply> {
  return {
    method: ({ req }) => req.method,
    target: ({ req }) => req.url,
    peer,
    field: ({ req }, name) => req.header(name),
    set: ({ fields }, name, value) => void fields.push([name, value]),
    atEnd: (reply, done) => {
      reply.done = done
    },
    refuse: (reply, refused) => {
      reply.refused = refused
    },
  }
}

function peerOfContext({ env }: HonoContext): string {
  return (env as NodeBindings | undefined)?.incoming?.socket?.remoteAddress ?? ''
}

/** The end of an answer is that of the connection where there is one, since a body may still stream. */
function end({ context, done }: HonoReply): void {
  if (done === undefined) return
  const outgoing = (context.env as NodeBindings | undefined)?.outgoing
  if (outgoing === undefined) done()
  else atEnd(outgoing, done)
}
