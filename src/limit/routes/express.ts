import { listedRoute, type ListedRoute } from './listed.ts'

/** A layer of a router of Express 4 or 5. */
interface Layer {
  readonly route?: { readonly path: unknown; readonly methods: Readonly<Record<string, boolean>> }
  readonly handle?: { readonly stack?: readonly Layer[] }
  /** The mount path as it was written; Express 5 since 5.2. */
  readonly rawPath?: unknown
  /** Where the last `match` ended; before that. */
  readonly path?: string
  match?(path: string): boolean
}

/** An application or a router of Express. */
export interface ExpressStack {
  readonly stack: readonly unknown[]
}

/** The router of an application of Express 5 or 4; undefined: it is none. */
export function expressRouter(app: object): ExpressStack | undefined {
  const { stack, _router: four } = app as { readonly stack?: unknown; readonly _router?: unknown }
  if (Array.isArray(stack)) return { stack }
  if (isStack(four)) return four
  // Express 4 has a getter of that name which throws.
  const five = 'lazyrouter' in app ? undefined : (app as { readonly router?: unknown }).router
  return isStack(five) ? five : undefined
}

function isStack(value: unknown): value is ExpressStack {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    Array.isArray((value as ExpressStack | null)?.stack)
  )
}

/** Stands for a mount path that nobody can read. */
const unknown = '/...'
/** A route with that many methods was given with `all`. */
const manyMethods = 20

/**
 * The routes of a router, those of routers mounted in it included. Where Express keeps mount paths as functions only,
 * they are found by trying the paths of the rules; one that no rule names shows as `...`.
 */
export function routesOfExpress(router: ExpressStack, keys: readonly string[]): readonly ListedRoute[] {
  const paths = keys.map((key) =>
    key
      .replace(/^\S+\s+/, '')
      .replaceAll(/:[^/]+/g, 'x')
      .replace(/\/?\*$/, ''),
  )
  return listBelow(router.stack as readonly Layer[], '', paths)
}

function listBelow(
  stack: readonly Layer[],
  prefix: string,
  paths: readonly string[],
): readonly ListedRoute[] {
  return stack.flatMap((layer) => {
    if (layer.route !== undefined) return listRoute(layer.route, prefix)
    const inner = layer.handle?.stack
    return inner === undefined ? [] : listBelow(inner, prefix + mountOf(layer, prefix, paths), paths)
  })
}

function listRoute({ path, methods }: NonNullable<Layer['route']>, prefix: string): readonly ListedRoute[] {
  const named = Object.keys(methods).map((name) => name.toUpperCase())
  const isAny = methods['_all'] === true || named.length > manyMethods
  const names = isAny ? [null] : named
  return [path].flat().flatMap((each) => names.map((name) => listOne(name, prefix, each)))
}

/** What cannot be read may be anything below what can. */
function listOne(method: string | null, prefix: string, path: unknown): ListedRoute {
  if (typeof path === 'string' && !prefix.includes(unknown)) return listedRoute(method, prefix + path)
  const text = `${method === null ? '' : `${method} `}${prefix}${String(path)}`
  const [readable = ''] = prefix.split(unknown)
  return { text, pattern: listedRoute(method, `${readable}/*`).pattern }
}

/** Where a router is mounted: empty, a path, or unknown. */
function mountOf(layer: Layer, prefix: string, paths: readonly string[]): string {
  if (typeof layer.rawPath === 'string') return layer.rawPath.replace(/\/$/, '')
  if (layer.match?.('/') === true) return ''
  for (const path of paths) {
    if (!path.startsWith(prefix)) continue
    if (layer.match?.(path.slice(prefix.length)) === true && layer.path !== undefined) return layer.path
  }
  return unknown
}
