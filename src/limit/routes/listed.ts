import { HoldfastError } from '../../kernel/std/index.ts'
import { covers, isCatchAll, readRoute, type RoutePattern } from './pattern.ts'

/** A route of an application. */
export interface ListedRoute {
  /** As people write it: `POST /login`. */
  readonly text: string
  /** All that it may answer. */
  readonly pattern: RoutePattern
}

/** How routes are looked through. */
export interface CoverOptions {
  /** Throw when there are any. Default false. */
  readonly strict?: boolean
  /** Whether a rule for every path, as `/*`, covers what nothing else does. Default true. */
  readonly catchAll?: boolean
}

const mostNamed = 20

/** The routes, as people write them, that no rule covers; sorted, each once. */
export function uncovered(
  routes: readonly ListedRoute[],
  keys: readonly string[],
  { catchAll = true }: CoverOptions = {},
): readonly string[] {
  const rules = keys.map(readRoute).filter((rule) => catchAll || !isCatchAll(rule))
  const isCovered = ({ pattern }: ListedRoute): boolean => rules.some((rule) => covers(rule, pattern))
  return [...new Set(routes.filter((route) => !isCovered(route)).map(({ text }) => text))].sort()
}

/**
 * Makes sure that every route has a rule.
 *
 * @throws HoldfastError `limit.uncovered`, which names those that have none
 */
export function assertCovered(
  routes: readonly ListedRoute[],
  keys: readonly string[],
  options?: CoverOptions,
): void {
  const bare = uncovered(routes, keys, options)
  if (bare.length === 0) return
  const more = bare.length > mostNamed ? ` and ${bare.length - mostNamed} more` : ''
  throw new HoldfastError({
    code: 'limit.uncovered',
    kind: 'user',
    message: `No rule limits ${bare.slice(0, mostNamed).join(', ')}${more}.`,
    hint: 'Give each of them a rule, or all the rest one: "/*".',
  })
}

/** A route of a framework, whose path is written `/users/:id`, `/files/*` or as OpenAPI does, `/users/{id}`. */
export function listedRoute(method: string | null, path: string): ListedRoute {
  const text = method === null ? path : `${method.toUpperCase()} ${path}`
  const parts = path
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '')
    .map(partOf)
  const rest = parts.indexOf('*')
  const pattern = {
    method: method?.toUpperCase() ?? null,
    parts: rest < 0 ? parts : parts.slice(0, rest + 1),
  }
  return { text, pattern }
}

/** What is optional, repeated or a regular expression is read as any part; a star as any rest. */
function partOf(part: string): string {
  if (part.includes('*')) return '*'
  return /[:{}()?+[\]]/.test(part) ? ':' : part
}
