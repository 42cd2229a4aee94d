import { resolve } from 'node:path'
import type { EdgeListener } from '../../../contracts/edge-policy.ts'
import type { EdgeConfig } from '../config.ts'
import { invalid } from './invalid.ts'

/** Compiles where the edge listens. Errors: `configuration.invalid`. */
export function compileListeners(config: EdgeConfig, directory: string | undefined): EdgeListener[] {
  const seen = new Set<string>()
  const path = (file: string): string => (directory === undefined ? file : resolve(directory, file))
  return config.listen.map(({ host, port, tls, redirectTo }, index) => {
    const place = `${host}:${port}`
    if (seen.has(place)) {
      throw invalid(`edge.listen.${index}`, `${place} stands there twice`, 'take one of them out')
    }
    seen.add(place)
    if (tls !== undefined && redirectTo !== undefined) {
      throw invalid(
        `edge.listen.${index}.redirectTo`,
        'this listener serves HTTPS itself',
        'redirect from a listener without tls',
      )
    }
    return {
      host,
      port,
      tls: tls === undefined ? null : { certificate: path(tls.certificate), key: path(tls.key) },
      redirectToPort: redirectTo ?? null,
    }
  })
}
