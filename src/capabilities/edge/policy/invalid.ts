import { closest, HoldfastError } from '../../../kernel/std/index.ts'
import type { UpstreamState } from '../ports.ts'

/** What is wrong with a key of the section, and how to mend it. */
export function invalid(path: string, message: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: `${path}: ${message}`,
    hint,
    path,
  })
}

/** Refuses what names a service that does not listen, or is none. Errors: `configuration.invalid`. */
export function requireListening(path: string, service: string, upstreams: readonly UpstreamState[]): void {
  const names = upstreams.map((upstream) => upstream.name)
  if (names.includes(service)) return
  const meant = closest(service, names)
  const known = names.length === 0 ? 'no service listens' : `the services that listen are ${names.join(', ')}`
  const hint = meant === undefined ? known : `did you mean "${meant}"?`
  throw invalid(path, `there is no service "${service}" that listens`, hint)
}
