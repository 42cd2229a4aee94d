import { listedRoute, type ListedRoute } from './listed.ts'

/** A handler as Hono lists it. */
interface HonoRoute {
  readonly method: string
  readonly path: string
  readonly handler: (...parts: never[]) => unknown
}

/** Whether this is an application of Hono. */
export function isHono(app: object): app is { readonly routes: readonly HonoRoute[] } {
  return Array.isArray((app as { readonly routes?: unknown }).routes)
}

/** The routes of an application of Hono 4, without its middleware (handlers that take `next`). */
export function routesOfHono({ routes }: { readonly routes: readonly HonoRoute[] }): readonly ListedRoute[] {
  return routes
    .filter(({ handler }) => handler.length < 2)
    .map(({ method, path }) => listedRoute(method === 'ALL' ? null : method, path))
}
