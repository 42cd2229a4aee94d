import { isAbsolute, join, resolve } from 'node:path'
import type { DesiredReplicas, ReplicaSpec } from '../../contracts/supervisor.ts'
import type { ServiceConfig, ServicesConfig } from './config.ts'

/** Where the environment file lies and what its services may be handed from outside. */
export interface Ground {
  /** Absolute directory of the environment file. */
  readonly directory: string
  readonly hostVariables: Readonly<Record<string, string>>
}

/** Variables that every program expects; all others are handed on by name only. */
const ordinaryVariables = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const

/** The program as it is started: a path with a slash is relative to the service's directory. */
export function programPath(program: string, directory: string): string {
  return program.includes('/') && !isAbsolute(program) ? resolve(directory, program) : program
}

/** Absolute working directory of a service. */
export function serviceDirectory(service: ServiceConfig, ground: Ground): string {
  return join(resolve(ground.directory, service.directory))
}

function variablesOf(service: ServiceConfig, ground: Ground): Record<string, string> {
  const handedOn = [...ordinaryVariables, ...service.passEnv].flatMap((name) => {
    const value = Object.hasOwn(ground.hostVariables, name) ? ground.hostVariables[name] : undefined
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(handedOn), ...service.env }
}

function portOf(service: ServiceConfig): ReplicaSpec['port'] {
  if (service.port !== undefined) return { fixed: service.port }
  return service.listens ? { assigned: true } : null
}

function specsOf(name: string, service: ServiceConfig, ground: Ground): readonly ReplicaSpec[] {
  const { command } = service
  if (command === undefined) return []
  const directory = serviceDirectory(service, ground)
  const [program = '', ...rest] = command
  return Array.from({ length: service.replicas.min }, (_, index) => ({
    id: `${name}/${index + 1}`,
    service: name,
    command: [programPath(program, directory), ...rest],
    directory,
    variables: variablesOf(service, ground),
    port: portOf(service),
    stopTimeoutMs: service.stopTimeout,
    mayExpose: service.mayExpose !== undefined,
    memoryMiB: service.resources.memoryMiB ?? null,
    cpus: service.resources.cpus ?? null,
  }))
}

/** What shall run, from the file alone. */
export function desiredReplicas(services: ServicesConfig, ground: Ground): DesiredReplicas {
  return { replicas: Object.entries(services).flatMap(([name, service]) => specsOf(name, service, ground)) }
}
