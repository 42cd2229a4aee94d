import ipaddr from 'ipaddr.js'
import type { Client } from './client-address.ts'
import type { Identity } from './identity.ts'
import { createRangeBook, parseAddress } from './ranges.ts'

/** Finds what was written down for whoever sent a request. */
export interface SubjectBook<T> {
  /** Nothing is written down about addresses. */
  readonly knowsNoAddress: boolean
  /** Nothing is written down about users, keys and passports. */
  readonly knowsNobody: boolean
  byAddress(client: Client): T | undefined
  byIdentity(who: Identity): T | undefined
}

const longest = 300
const proven = /^(?:user|key|passport):\S/

function isRange(text: string): boolean {
  return text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text) && !/^\d+$/.test(text)
}

/** Whether a text names an address, a range, or a subject: `10.0.0.0/8`, `ip:203.0.113.7`, `user:42`, `key:partner`. */
export function isSubjectOrRange(text: string): boolean {
  if (text.length > longest) return false
  return proven.test(text) || isRange(text.startsWith('ip:') ? text.slice(3) : text)
}

/** IPv6 addresses count by their first 64 bits, here as everywhere. */
function widened(range: string): string {
  if (range.includes('/')) return range
  return parseAddress(range)?.kind() === 'ipv6' ? `${range}/64` : range
}

/** Builds a book. Texts that are no subject are passed over: those who write them are told elsewhere. */
export function createSubjectBook<T>(
  entries: readonly (readonly [subject: string, value: T])[],
): SubjectBook<T> {
  const known = entries.filter(([subject]) => isSubjectOrRange(subject))
  const subjects = new Map(known.filter(([subject]) => proven.test(subject)).toReversed())
  const ranges = createRangeBook(
    known
      .filter(([subject]) => !proven.test(subject))
      .map(([subject, value]) => [widened(subject.replace(/^ip:/, '')), value] as const),
  )
  // The client of a connection is the same for all of its requests.
  const found = new WeakMap<Client, { readonly value: T | undefined }>()
  const find = ({ address }: Client): T | undefined => {
    const parsed = parseAddress(address)
    return parsed === null ? undefined : ranges.find(parsed)
  }
  return {
    knowsNoAddress: ranges.isEmpty,
    knowsNobody: subjects.size === 0,
    byAddress: (client) => {
      const known = found.get(client)
      if (known !== undefined) return known.value
      const value = find(client)
      found.set(client, { value })
      return value
    },
    byIdentity: ({ user, key, passport }) =>
      subjects.get(user) ?? subjects.get(key) ?? subjects.get(passport),
  }
}
