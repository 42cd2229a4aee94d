import type { LimitRule } from '../../../kernel/limit/index.ts'
import type { Client } from './client-address.ts'

/** What limits can count by. */
export interface Countable {
  readonly client: Client
  /** Name of the route. */
  readonly route: string
  /** Lower case, without a port. */
  readonly host: string
}

const readers: Readonly<Record<string, (from: Countable) => string>> = {
  ip: ({ client }) => client.key,
  route: ({ route }) => route,
  host: ({ host }) => host,
}

/** Reads the key of a rule out of a request; the text of a rule for everybody is the same for all. */
export function keyReader(rule: LimitRule): (from: Countable) => string {
  const parts = rule.per.map((dimension) => readers[dimension] ?? (() => ''))
  const [only] = parts
  if (only === undefined) return () => ''
  if (parts.length === 1) return only
  return (from) => parts.map((part) => part(from)).join('\n')
}
