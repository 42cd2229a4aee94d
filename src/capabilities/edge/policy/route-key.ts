import { closest, HoldfastError } from '../../../kernel/std/index.ts'

/** What the key of a route says. */
export interface RouteKey {
  /** Null: any method. */
  readonly method: string | null
  /** Lower case; null: any host. */
  readonly host: string | null
  /** Begins with a slash. */
  readonly path: string
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const hostShape = new RegExp(String.raw`^(\*\.)?${label}(\.${label})*$`)
const segmentShape = /^(?::[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9\-._~!$&'+,=@%]*)$/

function invalid(name: string, message: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: `edge.routes.${name}: ${message}`,
    hint,
    path: `edge.routes.${name}`,
  })
}

function readMethod(name: string, written: string | undefined): string | null {
  if (written === undefined) return null
  if (methods.includes(written)) return written
  const meant = closest(written.toUpperCase(), methods)
  const hint = meant === undefined ? `the methods are ${methods.join(', ')}` : `did you mean "${meant}"?`
  throw invalid(name, `"${written}" is no method that a route can have`, hint)
}

function readHost(name: string, written: string): string | null {
  if (written === '') return null
  const host = written.toLowerCase()
  if (hostShape.test(host)) return host
  throw invalid(
    name,
    `"${written}" is no host name`,
    'write a name without a port, as "api.example.com" or "*.example.com"',
  )
}

function readPath(name: string, path: string): string {
  const segments = path.slice(1).split('/')
  const odd = segments.find(
    (segment, index) => !segmentShape.test(segment) && !(segment === '*' && index === segments.length - 1),
  )
  if (odd !== undefined) {
    const hint = odd.includes('*')
      ? 'a "*" stands alone and last, as "/assets/*"'
      : 'a part is literal text or ":name"; write what is not ASCII percent-encoded'
    throw invalid(name, `the part "${odd}" of the path cannot be matched`, hint)
  }
  const dotOrEmpty = segments.some(
    (segment, index) =>
      segment === '.' || segment === '..' || (segment === '' && index < segments.length - 1),
  )
  if (dotOrEmpty) {
    throw invalid(name, 'the path has an empty or a dot part', 'requests arrive here without such parts')
  }
  return path
}

/**
 * Reads the key of a route: `POST /login`, `api.example.com/*`, `GET *.example.com/users/:id`, `/*`.
 * Errors: `configuration.invalid`.
 */
export function parseRouteKey(name: string): RouteKey {
  const match = /^(?:(\S+)\s+)?([^\s/]*)(\/\S*)$/.exec(name.trim())
  if (match === null || name.length > 1000) {
    throw invalid(
      name.slice(0, 1000),
      'this is no route',
      'write it as "POST /login", "GET /assets/*" or "/*"',
    )
  }
  return {
    method: readMethod(name, match[1]),
    host: readHost(name, match[2] ?? ''),
    path: readPath(name, match[3] ?? '/'),
  }
}

/** The same for keys that match the same requests: names of parameters and upper case make no difference. */
export function sameness({ method, host, path }: RouteKey): string {
  const shape = path
    .toLowerCase()
    .replaceAll(/:[^/]+/g, ':')
    .replace(/(?<=.)\/$/, '')
  return `${method ?? '*'} ${host ?? ''}${shape}`
}
