import { listedRoute, type ListedRoute } from './listed.ts'

/** What is needed of an instance of Fastify. */
export interface Hookable {
  addHook(name: string, hook: (...parts: never[]) => unknown): unknown
}

interface RouteOptions {
  readonly method: string | readonly string[]
  readonly url: string
}

/** The routes that were seen, by instance. */
const seen = new WeakMap<object, ListedRoute[]>()

/** Lists the routes that an instance of Fastify gets from now on; the list grows with them. */
export function watchFastify(instance: Hookable): readonly ListedRoute[] {
  const known = seen.get(instance)
  if (known !== undefined) return known
  const routes: ListedRoute[] = []
  seen.set(instance, routes)
  instance.addHook('onRoute', ({ method, url }: RouteOptions) => {
    for (const each of [method].flat()) routes.push(listedRoute(each, url))
  })
  return routes
}

/** What `watchFastify` has listed; undefined: nobody watched. */
export function routesOfFastify(instance: object): readonly ListedRoute[] | undefined {
  return seen.get(instance)
}
