import { remembering } from '../remembering.ts'
import { partsOfTarget, type RoutePattern } from './pattern.ts'

interface Node<T> {
  readonly literals: Map<string, Node<T>>
  parameter: Node<T> | undefined
  /** Those that end here, by method; `''`: any. */
  readonly here: Map<string, T>
  /** Those that take any rest, by method. */
  readonly rest: Map<string, T>
}

/** Finds the value of a request; null: no route fits. */
export type FindRoute<T> = (method: string, target: string) => T | null

const mostMethods = 20

/**
 * Builds a router: literal parts go before `:name`, these before `*`; of one path the named method before any. HEAD
 * goes with GET.
 */
export function createRouter<T extends object | string | number>(
  routes: readonly (readonly [RoutePattern, T])[],
): FindRoute<T> {
  const root = createNode<T>()
  for (const [{ method, parts }, value] of routes) add(root, { method: method ?? '', parts }, value)
  const byMethod = new Map<string, (target: string) => T | null>()
  return (method, target) => {
    const known = byMethod.get(method)
    if (known !== undefined) return known(target)
    const look = (text: string): T | null => find(root, { parts: partsOfTarget(text), method }, 0) ?? null
    if (byMethod.size < mostMethods) byMethod.set(method, remembering(look))
    return look(target)
  }
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), parameter: undefined, here: new Map(), rest: new Map() }
}

function add<T>(
  root: Node<T>,
  { method, parts }: { method: string; parts: readonly string[] },
  value: T,
): void {
  let node = root
  for (const part of parts) {
    if (part === '*') {
      if (!node.rest.has(method)) node.rest.set(method, value)
      return
    }
    node = part === ':' ? (node.parameter ??= createNode()) : literal(node, part)
  }
  if (!node.here.has(method)) node.here.set(method, value)
}

function literal<T>(node: Node<T>, part: string): Node<T> {
  const next = node.literals.get(part) ?? createNode<T>()
  node.literals.set(part, next)
  return next
}

interface Search {
  readonly parts: readonly string[]
  readonly method: string
}

function find<T>(node: Node<T>, search: Search, depth: number): T | undefined {
  const part = search.parts[depth]
  if (part === undefined) return ofMethod(node.here, search.method) ?? ofMethod(node.rest, search.method)
  const next = node.literals.get(part)
  return (
    (next && find(next, search, depth + 1)) ??
    (node.parameter && find(node.parameter, search, depth + 1)) ??
    ofMethod(node.rest, search.method)
  )
}

function ofMethod<T>(values: ReadonlyMap<string, T>, method: string): T | undefined {
  if (values.size === 0) return undefined
  return values.get(method) ?? (method === 'HEAD' ? values.get('GET') : undefined) ?? values.get('')
}
