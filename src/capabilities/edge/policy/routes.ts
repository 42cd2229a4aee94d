import type { EdgeRoute } from '../../../contracts/edge-policy.ts'
import type { EdgeConfig, RouteConfig } from '../config.ts'
import type { UpstreamState } from '../ports.ts'
import { invalid, requireListening } from './invalid.ts'
import type { LimitBook } from './limits.ts'
import { parseRouteKey, sameness } from './route-key.ts'

function limitsOf(name: string, route: RouteConfig, book: LimitBook): number[] {
  const path = `edge.routes.${name}`
  if (route.limit !== undefined && route.unlimited !== undefined) {
    throw invalid(`${path}.unlimited`, 'it has a limit as well', 'keep one of the two')
  }
  if (route.limit !== undefined) {
    return book.add({
      path: `${path}.limit`,
      name: `edge.route.${name}`,
      written: route.limit,
      cost: route.cost,
      mayQueue: true,
      mayLease: true,
    })
  }
  if (route.unlimited !== undefined) return []
  throw invalid(
    `${path}.limit`,
    'nothing bounds this route',
    'add limit: "120/min per ip", or unlimited: { because: "...", until: "2027-03-31" }',
  )
}

function messageLimitsOf(name: string, { messages }: RouteConfig, book: LimitBook): number[] {
  if (messages === undefined) return []
  return book.add({
    path: `edge.routes.${name}.messages`,
    name: `edge.messages.${name}`,
    written: messages,
  })
}

/** Compiles the routes and adds their limits to the book. Errors: those of `compilePolicy`. */
export function compileRoutes(
  { routes }: EdgeConfig,
  upstreams: readonly UpstreamState[],
  book: LimitBook,
): EdgeRoute[] {
  const seen = new Map<string, string>()
  return Object.entries(routes).map(([name, route]): EdgeRoute => {
    const key = parseRouteKey(name)
    const earlier = seen.get(sameness(key))
    if (earlier !== undefined) {
      throw invalid(
        `edge.routes.${name}`,
        `it matches the same requests as "${earlier}"`,
        'take one of them out',
      )
    }
    seen.set(sameness(key), name)
    requireListening(`edge.routes.${name}.to`, route.to, upstreams)
    return {
      name,
      ...key,
      upstream: route.to,
      limits: limitsOf(name, route, book),
      messageLimits: messageLimitsOf(name, route, book),
      cost: route.cost,
      allow: route.allow,
      fields: route.fields,
      maxBodyBytes: route.maxBody,
      responseTimeoutMs: route.responseTimeout,
      idleTimeoutMs: route.idleTimeout,
    }
  })
}
