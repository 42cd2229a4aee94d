/** A request target as everything behind this point sees it: the router, the limits and the origin. */
export interface Target {
  /** Normalised; begins with a slash. */
  readonly path: string
  /** With its question mark, as received; empty if there is none. */
  readonly query: string
}

const plain = /^(?:\/[A-Za-z0-9\-_~!$&'()+,=:@;*][A-Za-z0-9\-._~!$&'()+,=:@;*]*)*\/?$/
const unreserved = /[A-Za-z0-9\-._~]/

/**
 * Normalises a request target, or says in a sentence why it is refused (400).
 *
 * Percent-encoded unreserved characters are decoded, other percent-encodings get upper-case digits, dot segments are
 * removed (RFC 3986, 6.2.2), slashes in a row become one, since many origins read them as one. Refused are what origins
 * read differently from one another: an encoded slash, a backslash (encoded or not), NUL, `#`, a broken
 * percent-encoding.
 */
export function normaliseTarget(raw: string): Target | string {
  const origin = raw.startsWith('/') ? raw : withoutAuthority(raw)
  if (origin === undefined) return 'the request target is not valid'
  const mark = origin.indexOf('?')
  const path = mark < 0 ? origin : origin.slice(0, mark)
  const query = mark < 0 ? '' : origin.slice(mark)
  if (query.includes('#')) return 'a request target has no fragment'
  if (plain.test(path)) return { path, query }
  const odd = oddity(path)
  if (odd !== undefined) return odd
  const decoded = path.replaceAll(/%[0-9A-Fa-f]{2}/g, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return unreserved.test(character) ? character : code.toUpperCase()
  })
  return { path: withoutDots(decoded), query }
}

function withoutAuthority(raw: string): string | undefined {
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(raw)?.[1]
  if (rest === undefined) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}

function oddity(path: string): string | undefined {
  if (path.includes('#')) return 'a request target has no fragment'
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return 'a percent sign in the path begins no percent-encoding'
  if (/\\|%5c/i.test(path)) return 'a path here has no backslash'
  if (/%2f/i.test(path)) return 'a path here has no encoded slash'
  if (path.includes('%00')) return 'a path here has no NUL'
  return undefined
}

function withoutDots(path: string): string {
  const kept: string[] = []
  const parts = path.split('/').slice(1)
  for (const part of parts) {
    if (part === '..') kept.pop()
    else if (part !== '.' && part !== '') kept.push(part)
  }
  const last = parts.at(-1)
  const isDirectory = last === '' || last === '.' || last === '..'
  return `/${kept.join('/')}${isDirectory && kept.length > 0 ? '/' : ''}`
}

/** The path as the router compares it: in lower case and without `;parameters`, as many origins compare it. */
export function comparable(path: string): string {
  return (path.includes(';') ? path.replaceAll(/;[^/]*/g, '') : path).toLowerCase()
}
