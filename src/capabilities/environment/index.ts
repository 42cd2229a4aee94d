import type { Capability, Context } from '../../kernel/capability/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import { serviceConfig, servicesConfig, type ServicesConfig } from './config.ts'
import { desiredReplicas, type ReplicaGround } from './desired.ts'
import { findMissingVariables, findProgramTroubles } from './findings.ts'
import { followEvents } from './follow.ts'
import { bindOperations } from './operations.ts'
import type { EnvironmentPorts, ServiceEndpoints } from './ports.ts'
import type { Said } from './transitions.ts'
import { environmentFold, type EnvironmentView } from './view.ts'
import { createWatch } from './watch.ts'

/** The section of the environment file, with what the rest of the file says about the whole. */
export interface EnvironmentConfig {
  readonly name: string
  readonly version: string
  /** Absolute directory of the environment file. */
  readonly directory: string
  readonly services: ServicesConfig
}

/** The running capability, with what the edge needs to know of it. */
export interface EnvironmentCapability extends Capability {
  /** Who answers for each service that listens, now. */
  endpoints(): readonly ServiceEndpoints[]
  /** Calls the listener whenever `endpoints` has changed, and at once when they are known already. */
  onEndpoints(listener: () => void): void
}

function create(config: EnvironmentConfig, context: Context, ports: EnvironmentPorts): EnvironmentCapability {
  const { services } = config
  const { hostVariables, givenVariables } = ports
  const ground: ReplicaGround = { directory: config.directory, hostVariables, givenVariables }
  const shelf: { view?: View<EnvironmentView> } = {}
  const said = (service: string): Said => shelf.view?.state.said[service] ?? 'nothing'
  const watch = createWatch(services, context, { engine: ports.engine, prober: ports.prober, said })
  const whole = { name: config.name, version: config.version, services: Object.keys(services) }
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  return {
    name: 'environment',
    operations: bindOperations({ ...config, startedAt: context.clock.now(), watch, context, ports }),
    endpoints: () =>
      Object.entries(services)
        .filter(([, service]) => service.listens)
        .map(([name, service]) => ({
          name,
          targets: watch.targets(name).map(({ id, origin }) => ({ id, origin })),
          healthPath: service.health ?? null,
        })),
    onEndpoints: (listener) => watch.onTargets(listener),
    check: async () => [
      ...(await findProgramTroubles(services, ground, ports.canRun)),
      ...findMissingVariables(services, ground),
    ],
    start: async () => {
      const view = await context.view(environmentFold)
      shelf.view = view
      await ports.engine.run(desiredReplicas(services, ground))
      const follower = { engine: ports.engine, whole, view, signal: stopping.signal }
      running.push(followEvents(context, follower), watch.run(stopping.signal))
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

/** The capability that runs services and knows how they are. */
export const environment = {
  serviceConfig,
  servicesConfig,
  create,
  desiredReplicas,
  findProgramTroubles,
  findMissingVariables,
}
