import { closest, HoldfastError, lookUp } from '../../kernel/std/index.ts'
import type { ServiceConfig, ServicesConfig } from './config.ts'

/** The service of this name. Errors: `environment.unknown-service`. */
export function serviceOf(services: ServicesConfig, name: string): ServiceConfig {
  const service = lookUp(services, name)
  if (service !== undefined) return service
  const meant = closest(name, Object.keys(services))
  throw new HoldfastError({
    code: 'environment.unknown-service',
    kind: 'user',
    message: `there is no service "${name}"`,
    hint:
      meant === undefined
        ? `the services are ${Object.keys(services).join(', ')}`
        : `did you mean "${meant}"?`,
    path: 'service',
  })
}

/** The service, if it is Holdfast that runs it. Errors: `environment.not-ours`. */
export function refuseForeign(name: string, service: ServiceConfig): ServiceConfig {
  if (service.address === undefined) return service
  throw new HoldfastError({
    code: 'environment.not-ours',
    kind: 'user',
    message: `Holdfast does not run "${name}": it only sends requests to ${service.address}`,
    hint: 'do it where it runs, or give it a command in the environment file',
  })
}
