import type { EnvironmentFile } from '../composition/index.ts'

/** A harmless request by which a service shows that the edge reaches it. */
export interface RouteRequest {
  readonly service: string
  /** Null: any. */
  readonly host: string | null
  readonly path: string
}

interface Read {
  readonly method: string
  readonly host: string | null
  readonly path: string
}

/** A route's key: "METHOD host/path", of which only the path has to be there. */
function readKey(key: string): Read {
  const [first = '', second] = key.split(' ')
  const place = second ?? first
  const slash = place.indexOf('/')
  const host = place.slice(0, slash)
  return {
    method: second === undefined ? 'GET' : first,
    host: host === '' ? null : host.replace('*', 'www'),
    path: place.slice(slash),
  }
}

/** A path that the pattern matches; the health check where that is one. */
function pathOf(pattern: string, health: string | undefined): string {
  if (pattern.endsWith('*') && health?.startsWith(pattern.slice(0, -1)) === true) return health
  return pattern
    .split('/')
    .map((segment) => (segment.startsWith(':') ? segment.slice(1) : segment.replace('*', '')))
    .join('/')
}

/** One request for each service of ours that a route leads to with GET; pure. */
export function requestsThrough({ services, edge }: EnvironmentFile): readonly RouteRequest[] {
  return Object.entries(services).flatMap(([service, { address, listens, health }]) => {
    if (address !== undefined || !listens) return []
    const routes = Object.entries(edge.routes)
      .filter(([, { to }]) => to === service)
      .map(([key]) => readKey(key))
      .filter(({ method }) => method === 'GET')
    // The widest one hits fewest special cases.
    const route = routes.toSorted((a, b) => a.path.length - b.path.length)[0]
    return route === undefined ? [] : [{ service, host: route.host, path: pathOf(route.path, health) }]
  })
}
