import { HoldfastError } from '../../kernel/std/index.ts'

/** A route as a pattern: `POST /users/:id`, `GET /assets/*`, `/*`. */
export interface RoutePattern {
  /** Upper case; null: any method. */
  readonly method: string | null
  /** Lower case; `:` stands for any one part, a last `*` for any rest. */
  readonly parts: readonly string[]
}

const longestKey = 1000

/**
 * Reads the key of a rule: a method or none, and a path whose parts are literal, `:name` or, at the end, `*`.
 *
 * @throws HoldfastError `limit.unreadable-route`
 */
export function readRoute(key: string): RoutePattern {
  const match = /^(?:([A-Za-z]+)\s+)?(\/\S*)$/.exec(key.trim())
  const parts = partsOf(match?.[2] ?? '').map((part) => (part.startsWith(':') ? ':' : part))
  const odd = parts.findIndex(
    (part, index) => part.includes('*') && !(part === '*' && index === parts.length - 1),
  )
  if (match !== null && odd < 0 && key.length <= longestKey)
    return { method: match[1]?.toUpperCase() ?? null, parts }
  throw new HoldfastError({
    code: 'limit.unreadable-route',
    kind: 'user',
    message: `"${key.slice(0, longestKey)}" is no route.`,
    hint: 'Write it as "POST /login", "/users/:id", "GET /assets/*" or "/*".',
  })
}

/** The parts of a path in lower case, without empty ones. */
function partsOf(path: string): readonly string[] {
  return path
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '')
}

/** Whether every request that fits `narrow` fits `wide` as well. */
export function covers(wide: RoutePattern, narrow: RoutePattern): boolean {
  const isMethod =
    wide.method === null ||
    wide.method === narrow.method ||
    (wide.method === 'GET' && narrow.method === 'HEAD')
  if (!isMethod) return false
  const hasRest = wide.parts.at(-1) === '*'
  const parts = hasRest ? wide.parts.slice(0, -1) : wide.parts
  if (hasRest ? narrow.parts.length < parts.length : narrow.parts.length !== parts.length) return false
  return parts.every(
    (part, index) => part === narrow.parts[index] || (part === ':' && narrow.parts[index] !== '*'),
  )
}

/** Whether it fits every path. */
export function isCatchAll({ parts }: RoutePattern): boolean {
  return parts.length === 1 && parts[0] === '*'
}

/**
 * The parts of a request's target, as a router that is lenient would see them: without query and `;parameters`,
 * decoded, in lower case, without empty and dot parts. A limit must not be evaded by writing a path differently.
 */
export function partsOfTarget(target: string): readonly string[] {
  const parts: string[] = []
  for (const raw of pathOf(target).split('/')) {
    const part = raw.includes(';') ? raw.slice(0, raw.indexOf(';')) : raw
    const decoded = part.includes('%') ? decode(part) : part
    if (decoded === '..') parts.pop()
    else if (decoded !== '' && decoded !== '.') parts.push(decoded.toLowerCase())
  }
  return parts
}

function pathOf(target: string): string {
  const path = target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const end = path.search(/[?#]/)
  return end < 0 ? path : path.slice(0, end)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
