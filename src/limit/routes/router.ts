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

/** Targets of a method whose route is remembered, since most programs are asked for the same few again and again. */
const mostKnown = 1000
const mostMethods = 20
const longestKnown = 200

/**
 * Builds a router: literal parts go before `:name`, these before `*`; of one path the named method before any. HEAD
 * goes with GET.
 */
export function createRouter<T>(routes: readonly (readonly [RoutePattern, T])[]): FindRoute<T> {
  const root = createNode<T>()
  for (const [{ method, parts }, value] of routes) add(root, { method: method ?? '', parts }, value)
  const known = new Map<string, Map<string, T | null>>()
  return (method, target) => {
    const before = known.get(method)?.get(target)
    if (before !== undefined) return before
    const found = find(root, { parts: partsOfTarget(target), method }, 0) ?? null
    if (target.length <= longestKnown) remember(known, { method, target }, found)
    return found
  }
}

function remember<T>(
  known: Map<string, Map<string, T>>,
  { method, target }: { readonly method: string; readonly target: string },
  value: T,
): void {
  if (known.size >= mostMethods && !known.has(method)) return
  const targets = known.get(method) ?? new Map<string, T>()
  if (targets.size >= mostKnown) targets.clear()
  known.set(method, targets.set(target, value))
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
