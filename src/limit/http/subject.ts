import { HoldfastError } from '../../kernel/std/index.ts'
import type { By } from '../port.ts'
import type { ClientReader } from './address.ts'
import type { ReadRequest, ReadValue } from './port.ts'

/** Reads what the rules of a route count by. */
export type ByReader<Request> = (request: Request) => By

/** What is to be read for a route. */
export interface ByParts<Request> {
  readonly route: string
  readonly dimensions: readonly string[]
  readonly readers: Readonly<Record<string, ReadValue<Request>>>
  readonly reads: ReadRequest<Request>
  readonly clientOf: ClientReader<Request>
}

type Read<Request> = (request: Request) => string

/** Control takes no longer values. */
const mostLetters = 200
const absent = '-'

/**
 * Builds the reader of a route.
 *
 * @throws HoldfastError `limit.no-reader` when a rule counts by something that nobody says how to read
 */
export function createByReader<Request>(parts: ByParts<Request>): ByReader<Request> {
  const reads = parts.dimensions.map((dimension) => [dimension, readOf(dimension, parts)] as const)
  const [only] = reads
  if (only !== undefined && reads.length === 1) {
    const [dimension, read] = only
    return (request) => ({ [dimension]: read(request) })
  }
  return (request) => Object.fromEntries(reads.map(([dimension, read]) => [dimension, read(request)]))
}

function readOf<Request>(dimension: string, parts: ByParts<Request>): Read<Request> {
  const { route, readers, reads, clientOf } = parts
  const reader = readers[dimension]
  if (reader !== undefined) {
    return (request) => {
      const value = reader(request)
      return value === undefined || value === '' ? `ip:${clientOf(request)}` : bounded(String(value))
    }
  }
  const [name, argument = ''] = dimension.split(':')
  const field = (request: Request, named: string): string => reads.field(request, named) ?? ''
  if (name === 'header') return (request) => bounded(field(request, argument))
  if (name === 'cookie') return (request) => bounded(cookieOf(field(request, 'cookie'), argument))
  if (name === 'ip') return clientOf
  if (name === 'route') return () => bounded(route)
  if (name === 'method') return (request) => reads.method(request)
  if (name === 'host') return (request) => bounded(field(request, 'host').toLowerCase().replace(/:\d+$/, ''))
  throw noReader(dimension, route)
}

function bounded(text: string): string {
  return text === '' ? absent : text.slice(0, mostLetters)
}

function cookieOf(field: string, name: string): string {
  const pairs = field.split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}

function noReader(dimension: string, route: string): HoldfastError {
  return new HoldfastError({
    code: 'limit.no-reader',
    kind: 'user',
    message: `The limit of "${route}" counts per ${dimension}, and nobody says how to read that from a request.`,
    hint: `Say it: { by: { ${dimension}: (request) => ... } }.`,
  })
}
