import { HoldfastError } from '../../kernel/std/index.ts'
import type { By } from '../port.ts'
import type { ClientReader, Connection } from './address.ts'
import type { HttpRequest, ReadValue } from './port.ts'

/** Reads what the rules of a route count by. */
export type ByReader<Request> = (of: HttpRequest<Request>) => By

/** What is to be read for a route. */
export interface ByParts<Request> {
  readonly route: string
  readonly dimensions: readonly string[]
  readonly readers: Readonly<Record<string, ReadValue<Request>>>
  readonly clientOf: ClientReader
}

type Read<Request> = (of: HttpRequest<Request>) => string

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
    return (of) => ({ [dimension]: read(of) })
  }
  return (of) => Object.fromEntries(reads.map(([dimension, read]) => [dimension, read(of)]))
}

function readOf<Request>(dimension: string, { route, readers, clientOf }: ByParts<Request>): Read<Request> {
  const reader = readers[dimension]
  if (reader !== undefined) {
    return (of) => {
      const value = reader(of.request)
      return value === undefined || value === '' ? `ip:${clientOf(of)}` : bounded(String(value))
    }
  }
  const [name, argument = ''] = dimension.split(':')
  if (name === 'header') return (of) => bounded(of.field(argument) ?? '')
  if (name === 'cookie') return (of) => bounded(cookieOf(of, argument))
  if (name === 'ip') return clientOf
  if (name === 'route') return () => bounded(route)
  if (name === 'method') return ({ method }) => method
  if (name === 'host') return (of) => bounded((of.field('host') ?? '').toLowerCase().replace(/:\d+$/, ''))
  throw noReader(dimension, route)
}

function bounded(text: string): string {
  return text === '' ? absent : text.slice(0, mostLetters)
}

function cookieOf(connection: Connection, name: string): string {
  const pairs = (connection.field('cookie') ?? '').split(';').map((pair) => pair.trim())
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
