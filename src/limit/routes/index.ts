import { HoldfastError } from '../../kernel/std/index.ts'
import { expressRouter, routesOfExpress } from './express.ts'
import { routesOfFastify } from './fastify.ts'
import { isHono, routesOfHono } from './hono.ts'
import { assertCovered, uncovered, type CoverOptions, type ListedRoute } from './listed.ts'
import { routesOfOpenApi } from './open-api.ts'

export { watchFastify } from './fastify.ts'
export type { CoverOptions } from './listed.ts'

/**
 * The routes of an application (Express 4 and 5, Fastify 5, Hono 4) that no rule covers, as `POST /login`. Call it when
 * all routes are there. Of Fastify it knows the routes that came after `limitFastify` or `watchFastify(app)`.
 *
 * @throws HoldfastError `limit.uncovered` if `strict`; `limit.unknown-framework`
 */
export function uncoveredRoutes(
  app: object,
  rules: Readonly<Record<string, unknown>>,
  options: CoverOptions = {},
): readonly string[] {
  const keys = Object.keys(rules)
  return judge(routesOf(app, keys), keys, options)
}

/**
 * The paths of an OpenAPI document that no route of the edge covers, a catch-all aside.
 *
 * @throws HoldfastError `limit.uncovered` if `strict`; `limit.invalid-openapi`
 */
export function uncoveredInOpenApi(
  document: unknown,
  holdfastRoutes: readonly string[],
  options: CoverOptions = {},
): readonly string[] {
  const keys = holdfastRoutes.map((key) =>
    key.replace(/^(?:(\S+)\s+)?[^\s/]*\//, (_, method?: string) => `${method ?? ''} /`).trim(),
  )
  return judge(routesOfOpenApi(document), keys, { catchAll: false, ...options })
}

function judge(
  routes: readonly ListedRoute[],
  keys: readonly string[],
  options: CoverOptions,
): readonly string[] {
  if (options.strict === true) assertCovered(routes, keys, options)
  return uncovered(routes, keys, options)
}

function routesOf(app: object, keys: readonly string[]): readonly ListedRoute[] {
  const watched = routesOfFastify(app)
  if (watched !== undefined) return watched
  if (isHono(app)) return routesOfHono(app)
  const router = expressRouter(app)
  if (router !== undefined) return routesOfExpress(router, keys)
  throw new HoldfastError({
    code: 'limit.unknown-framework',
    kind: 'user',
    message: 'The routes of this application cannot be listed.',
    hint: 'It has to be one of Express or Hono, or one of Fastify with limitFastify or watchFastify(app) before its routes.',
  })
}
