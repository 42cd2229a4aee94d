import { hash } from 'node:crypto'
import type { LimitRule } from '../../../../kernel/limit/index.ts'
import type { RequestHead } from '../head.ts'
import type { Client } from './client-address.ts'
import { cookieOf, fieldOf } from './fields.ts'
import { clientOf, userOf, type Identity } from './identity.ts'

/** What limits can count by. */
export interface Countable {
  readonly client: Client
  readonly who: Identity
  /** Name of the route. */
  readonly route: string
  /** Lower case, without a port. */
  readonly host: string
  readonly method: string
  readonly head: Pick<RequestHead, 'fields'>
}

type Read = (from: Countable) => string

/** Values up to here are keys as they are, longer ones by their digest, so that they stay distinct and cost little. */
const longestValue = 256

const readers: Readonly<Record<string, Read>> = {
  ip: ({ client }) => client.key,
  prefix: ({ client }) => client.prefix,
  route: ({ route }) => route,
  host: ({ host }) => bounded(host),
  method: ({ method }) => method,
  user: ({ who, client }) => bounded(userOf(who, client)),
  key: ({ who, client }) => bounded(who.key || client.subject),
  client: ({ who, client }) => bounded(clientOf(who, client)),
}

/** A NUL stands before a digest: no field and no subject of an address has one. */
function bounded(value: string): string {
  return value.length <= longestValue ? value : `\0${hash('sha256', value, 'base64url')}`
}

/** Who sends no such field shares an account with all who send none, or an empty one. */
function readerOf(dimension: string): Read {
  const colon = dimension.indexOf(':')
  if (colon < 0) return readers[dimension] ?? (() => '')
  const name = dimension.slice(colon + 1)
  if (dimension.startsWith('cookie:')) return ({ head }) => bounded(cookieOf(head, name) ?? '')
  return ({ head }) => bounded(fieldOf(head, name.toLowerCase()) ?? '')
}

/** Reads the key of a rule out of a request; the text of a rule for everybody is the same for all. */
export function keyReader({ per }: Pick<LimitRule, 'per'>): Read {
  const parts = per.map(readerOf)
  const [only] = parts
  if (only === undefined) return () => ''
  if (parts.length === 1) return only
  // With its length in front, no value can pass for two.
  return (from) => {
    let key = ''
    for (const part of parts) {
      const value = part(from)
      key += `${value.length} ${value}`
    }
    return key
  }
}

/** Which rung of the ladder a key of this dimension stands on for a request: `user`, `key`, `passport` or `ip`. */
export function rungOf(dimension: string, { who }: Pick<Countable, 'who'>): string {
  if (dimension === 'key') return who.key === '' ? 'ip' : 'key'
  if (dimension !== 'user' && dimension !== 'client') return dimension
  if (who.user !== '') return 'user'
  if (who.key !== '') return 'key'
  return dimension === 'client' && who.passport !== '' ? 'passport' : 'ip'
}
