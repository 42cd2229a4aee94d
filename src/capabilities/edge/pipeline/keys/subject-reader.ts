import type { LimitRule } from '../../../../kernel/limit/index.ts'
import { keyReader, type Countable } from './key-reader.ts'

/** What is counted by these is a subject as it is: `user:42`, or `ip:203.0.113.7` for who proves nothing. */
const proven: ReadonlySet<string> = new Set(['user', 'key', 'client'])

/** Says of whom a rule counts a request: `ip:203.0.113.7`, `user:42 and host:example.com`; empty: of everybody. */
export function subjectReader({ per }: Pick<LimitRule, 'per'>): (from: Countable) => string {
  const parts = per.map((dimension) => {
    const read = keyReader({ per: [dimension] })
    const label = proven.has(dimension) ? '' : `${dimension}:`
    return (from: Countable): string => `${label}${withoutMark(read(from))}`
  })
  return (from) => parts.map((part) => part(from)).join(' and ')
}

/** Values that are too long to be keys are known by their digest, which a NUL marks. */
function withoutMark(value: string): string {
  return value.startsWith('\0') ? `sha256-${value.slice(1)}` : value
}
