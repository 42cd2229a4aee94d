import type { Countable } from '../../pipeline/index.ts'

type Read = (from: Countable) => string

const readers: Readonly<Record<string, Read>> = {
  ip: ({ client }) => `ip:${client.key}`,
  route: ({ route }) => `route:${route}`,
  host: ({ host }) => `host:${host}`,
}

/** Says of whom a rule counts a request: `ip:203.0.113.7`, `user:42 and host:example.com`; empty: of everybody. */
export function subjectReader(per: readonly string[]): Read {
  const parts = per.map((dimension): Read => readers[dimension] ?? (() => `${dimension}:`))
  return (from) => parts.map((part) => part(from)).join(' and ')
}
