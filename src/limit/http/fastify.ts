import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from '../port.ts'
import { assertCovered, type ListedRoute } from '../routes/listed.ts'
import { watchFastify } from '../routes/fastify.ts'
import { createGuard, type Guard } from './guard.ts'
import { atEnd, fieldOf, methodOf, peerOf } from './node.ts'
import type { Door, HttpOptions, HttpRules } from './port.ts'

export type { HttpOptions, HttpRule, HttpRules } from './port.ts'

/** What the plugin needs of a request of Fastify 5. */
export interface FastifyRequest {
  readonly raw: IncomingMessage
  readonly originalUrl: string
}

/** What the plugin needs of a reply of Fastify 5. */
export interface FastifyReply {
  readonly raw: ServerResponse
  header(name: string, value: string): unknown
  code(status: number): unknown
  send(body: string): unknown
}

type OnRequest<Request> = (request: Request, reply: FastifyReply, done: (error?: Error) => void) => void

/** What the plugin needs of an instance of Fastify 5. */
export interface FastifyInstance {
  addHook(name: string, hook: (...parts: never[]) => unknown): unknown
}

/** Options of the plugin. */
export interface FastifyLimitOptions<Request, Name extends string = string> extends HttpOptions<Request> {
  readonly limits: Limits<Name>
  readonly rules: HttpRules<Request, Name>
  /** Refuse to start while a route has no rule. Default false. */
  readonly strict?: boolean
}

/** A plugin of Fastify, for its own hooks rather than for a scope of its own. */
export interface FastifyLimitPlugin {
  <Request extends FastifyRequest = FastifyRequest, Name extends string = string>(
    instance: FastifyInstance,
    options: FastifyLimitOptions<Request, Name>,
    done: (error?: Error) => void,
  ): void
}

/**
 * Limits as a plugin of Fastify 5: `app.register(limitFastify, { limits, rules })`, before the routes. It sees all of
 * them, and what finds no route as well. Errors of rules reject `app.ready()`.
 */
export const limitFastify: FastifyLimitPlugin = Object.assign(plugin, {
  // What fastify-plugin sets: hooks hold for the instance that registers, not for a child of it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'holdfast-limit',
})

function plugin<Request extends FastifyRequest, Name extends string>(
  instance: FastifyInstance,
  options: FastifyLimitOptions<Request, Name>,
  done: (error?: Error) => void,
): void {
  const { limits, rules, strict = false } = options
  const routes = watchFastify(instance)
  try {
    const door = fastifyDoor<Request>()
    instance.addHook('onRequest', onRequest(createGuard(rules, { limits, door, options })))
  } catch (error) {
    return done(error as Error)
  }
  if (strict) instance.addHook('onReady', (ready: (error?: Error) => void) => ready(complaint(routes, rules)))
  done()
}

function complaint(
  routes: readonly ListedRoute[],
  rules: Readonly<Record<string, unknown>>,
): Error | undefined {
  try {
    assertCovered(routes, Object.keys(rules))
    return undefined
  } catch (error) {
    return error as Error
  }
}

function onRequest<Request>(guard: Guard<Request, FastifyReply>): OnRequest<Request> {
  return (request, reply, done) => {
    const goesOn = guard(request, reply)
    if (goesOn === true) return done()
    if (goesOn === false) return
    const go = (may: boolean): void => {
      if (may) done()
    }
    goesOn.then(go, done)
  }
}

function fastifyDoor<Request extends FastifyRequest>(): Door<Request, FastifyReply> {
  return {
    method: ({ raw }) => methodOf(raw),
    target: ({ originalUrl }) => originalUrl,
    peer: ({ raw }) => peerOf(raw),
    field: ({ raw }, name) => fieldOf(raw, name),
    set: (reply, name, value) => void reply.header(name, value),
    atEnd: ({ raw }, done) => atEnd(raw, done),
    refuse: (reply, { status, type, body }) => {
      reply.code(status)
      reply.header('content-type', type)
      reply.send(body)
    },
  }
}
