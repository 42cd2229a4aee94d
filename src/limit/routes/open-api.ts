import { HoldfastError } from '../../kernel/std/index.ts'
import { listedRoute, type ListedRoute } from './listed.ts'

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']

type Fields = Readonly<Record<string, unknown>>

/**
 * The routes of an OpenAPI document (3.x), below the path of its first server.
 *
 * @throws HoldfastError `limit.invalid-openapi`
 */
export function routesOfOpenApi(document: unknown): readonly ListedRoute[] {
  const paths = fieldsOf(fieldsOf(document)['paths'])
  if (Object.keys(paths).length === 0) throw invalid()
  const base = basePath(fieldsOf(document)['servers'])
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/'))
    .flatMap(([path, item]) =>
      Object.keys(fieldsOf(item))
        .filter((key) => methods.includes(key))
        .map((method) => listedRoute(method, `${base}${path}`)),
    )
}

function basePath(servers: unknown): string {
  const [first] = Array.isArray(servers) ? servers : []
  const { url } = fieldsOf(first)
  if (typeof url !== 'string') return ''
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, '')
  return path.startsWith('/') ? path.replace(/\/+$/, '') : ''
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function invalid(): HoldfastError {
  return new HoldfastError({
    code: 'limit.invalid-openapi',
    kind: 'user',
    message: 'That is no OpenAPI document with paths.',
    hint: 'Pass the JSON document that the application publishes, version 3.',
  })
}
