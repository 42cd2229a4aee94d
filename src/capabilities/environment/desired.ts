import { isAbsolute, join, resolve } from 'node:path'
import type { DesiredReplicas, ReplicaSpec } from '../../contracts/supervisor.ts'
import type { ServiceConfig, ServicesConfig } from './config.ts'
import type { EnvironmentPorts } from './ports.ts'

/** Where the environment file lies and what its services may be handed from outside. */
export interface Ground {
  /** Absolute directory of the environment file. */
  readonly directory: string
  readonly hostVariables: Readonly<Record<string, string>>
}

/** The same, with what replicas are told by the house. */
export interface ReplicaGround extends Ground {
  readonly givenVariables: EnvironmentPorts['givenVariables']
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

function variablesOf(name: string, service: ServiceConfig, ground: ReplicaGround): Record<string, string> {
  const handedOn = [...ordinaryVariables, ...service.passEnv].flatMap((variable) => {
    const value = Object.hasOwn(ground.hostVariables, variable) ? ground.hostVariables[variable] : undefined
    return value === undefined ? [] : [[variable, value] as const]
  })
  return { ...ground.givenVariables(name), ...Object.fromEntries(handedOn), ...service.env }
}

function portOf(service: ServiceConfig): ReplicaSpec['port'] {
  if (service.port !== undefined) return { fixed: service.port }
  return service.listens ? { assigned: true } : null
}

function specsOf(name: string, service: ServiceConfig, ground: ReplicaGround): readonly ReplicaSpec[] {
  const { command } = service
  if (command === undefined) return []
  const directory = serviceDirectory(service, ground)
  const [program = '', ...rest] = command
  return Array.from({ length: service.replicas.min }, (_, index) => ({
    id: `${name}/${index + 1}`,
    service: name,
    command: [programPath(program, directory), ...rest],
    directory,
    variables: variablesOf(name, service, ground),
    port: portOf(service),
    stopTimeoutMs: service.stopTimeout,
    mayExpose: service.mayExpose !== undefined,
    memoryMiB: service.resources.memoryMiB ?? null,
    cpus: service.resources.cpus ?? null,
    ...(service.user === undefined ? {} : { user: service.user }),
    ...(service.writes.length === 0 ? {} : { writes: service.writes }),
  }))
}

/** What shall run, from the file alone. */
export function desiredReplicas(services: ServicesConfig, ground: ReplicaGround): DesiredReplicas {
  return { replicas: Object.entries(services).flatMap(([name, service]) => specsOf(name, service, ground)) }
}
