import findMyWay from 'find-my-way'
import type { EdgeRoute } from '../../../contracts/edge-policy.ts'
import { comparable } from './target.ts'

/** Finds the route of a request. */
export interface Router<T> {
  /** `host` in lower case without a port, `path` normalised. Null: no route matches. */
  find(method: string, host: string, path: string): T | null
}

type Tree<T> = (path: string) => T | null

/** Trees of one host pattern, by method; `''` for methods that no route names. */
type HostTrees<T> = ReadonlyMap<string, Tree<T>>

interface Entry<T> {
  readonly route: Pick<EdgeRoute, 'host' | 'method' | 'path'>
  readonly value: T
}

/**
 * Builds a router. The most specific host wins (exact, then `*.`, then any), then the most specific path (literal
 * before `:name` before `*`, part by part), then the method; a host without a fitting path falls back to the next.
 * GET routes answer HEAD as well. Upper case, a slash at the end and `;parameters` make no difference, for many
 * origins make none, and a limit must not be evaded that way.
 */
export function createRouter<T>(entries: readonly Entry<T>[]): Router<T> {
  const hosts = new Map<string, Entry<T>[]>()
  for (const entry of entries) {
    const host = entry.route.host ?? ''
    hosts.set(host, [...(hosts.get(host) ?? []), entry])
  }
  const trees = new Map([...hosts].map(([host, own]) => [host, hostTrees(own)]))
  const hasHosts = [...trees.keys()].some((host) => host !== '')
  const anyHost = trees.get('') ?? new Map<string, Tree<T>>()
  return {
    find: (method, host, rawPath) => {
      const path = comparable(rawPath)
      if (!hasHosts) return findIn(anyHost, method, path)
      const exact = findIn(trees.get(host), method, path)
      if (exact !== null) return exact
      const dot = host.indexOf('.')
      const wild = dot < 0 ? null : findIn(trees.get(`*${host.slice(dot)}`), method, path)
      return wild ?? findIn(anyHost, method, path)
    },
  }
}

function findIn<T>(trees: HostTrees<T> | undefined, method: string, path: string): T | null {
  const tree = trees?.get(method) ?? trees?.get('')
  return tree === undefined ? null : tree(path)
}

function hostTrees<T>(entries: readonly Entry<T>[]): HostTrees<T> {
  const named = new Set(entries.flatMap(({ route }) => (route.method === null ? [] : [route.method])))
  if (named.has('GET')) named.add('HEAD')
  return new Map(['', ...named].map((method) => [method, createTree(entries, method)]))
}

/** Earlier in the list wins at the same path. */
function precedence(method: string): readonly (string | null)[] {
  if (method === '') return [null]
  return method === 'HEAD' ? ['HEAD', 'GET', null] : [method, null]
}

function createTree<T>(entries: readonly Entry<T>[], method: string): Tree<T> {
  const router = findMyWay({ ignoreTrailingSlash: true, caseSensitive: false, maxParamLength: 65_536 })
  const taken = new Set<string>()
  const add = (path: string, value: T): void => {
    const shape = path
      .toLowerCase()
      .replaceAll(/:[^/]+/g, ':')
      .replace(/\/$/, '')
    if (taken.has(shape)) return
    taken.add(shape)
    router.on('GET', pattern(path), () => undefined, value)
  }
  const wanted = precedence(method).flatMap((each) => entries.filter(({ route }) => route.method === each))
  for (const { route, value } of wanted) add(route.path, value)
  for (const { route, value } of wanted) addFolder(route.path, value, add)
  return (path) => (router.find('GET', path)?.store as T | undefined) ?? null
}

/** `/admin/` is below `/admin/*`, and a slash at the end makes no difference; a route of its own goes first. */
function addFolder<T>(path: string, value: T, add: (path: string, value: T) => void): void {
  if (path.endsWith('/*') && path !== '/*') add(path.slice(0, -2), value)
}

/** Names of parameters mean nothing here, and must not differ between routes that share a part. */
function pattern(path: string): string {
  let number = 0
  return path.toLowerCase().replaceAll(/:[^/]+/g, () => `:p${number++}`)
}
