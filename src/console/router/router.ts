import { useSyncExternalStore } from 'react'

/** Where the reader is: the path's parts, decoded, and the query. */
export interface Place {
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Reads `#/services/web?replica=1`; anything else is the overview. */
export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.startsWith('#/') ? hash.slice(2).split('?', 2) : []
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) }
}

/** Writes the address of a place, to be used as `href`: `#/services/web?replica=1`. Empty values are left out. */
export function placeOf(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== '')
  const search = new URLSearchParams(filled).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`
}

const subscribe = (listener: () => void): (() => void) => {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

/** The current place; renders again when it changes. */
export function usePlace(): Place {
  return parsePlace(useSyncExternalStore(subscribe, () => location.hash))
}

/** Goes to a place. */
export function go(href: string): void {
  location.hash = href
}

/** Changes the address without a step in the history, as a filter does. */
export function amend(href: string): void {
  history.replaceState(null, '', href)
  dispatchEvent(new HashChangeEvent('hashchange'))
}
