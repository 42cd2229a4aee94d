import type { EnvironmentStatus, Judging, RolloutPhase } from '../../../contracts/environment.ts'
import type { ReplicaStatus, SupervisorStatus } from '../../../contracts/supervisor.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'
import type { ProbeResult } from '../ports.ts'

type ServiceView = EnvironmentStatus['services'][number]
type ReplicaView = ServiceView['replicas'][number]
type State = ServiceView['state']

/** What was seen of the world: the supervisor's word, the last probe of each target by id, and what is on the way. */
export interface Observed {
  readonly status: SupervisorStatus
  readonly probes: ReadonlyMap<string, ProbeResult>
  /** How the rollout of a service stands; in words, empty when nothing is on the way. */
  readonly rolloutOf: (service: string) => {
    readonly phase: RolloutPhase
    readonly says: string
    readonly judging?: Judging
  }
  /** The release that a service is wished to run; empty: the files as they lie in its directory. */
  readonly releaseOf: (service: string) => string
}

/** A target that can be probed: replica or address. */
export interface Target {
  readonly id: string
  readonly origin: string
  /** Content hash of the replica's specification; empty for an address. */
  readonly group: string
  /** When the process behind it was started; null: unknown. A new process is a new target. */
  readonly since: number | null
}

/** The address at which a replica answers, or null. */
export function originOf(replica: ReplicaStatus): string | null {
  const { host, port } = replica
  return port === null ? null : `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The targets of a service, ill ones included: the edge finds out for itself which are well. */
export function targetsOf(
  name: string,
  service: ServiceConfig,
  status: SupervisorStatus | null,
): readonly Target[] {
  if (service.address !== undefined)
    return [{ id: name, origin: service.address.replace(/\/+$/, ''), group: '', since: null }]
  return (status?.replicas ?? [])
    .filter((replica) => replica.service === name)
    .flatMap((replica) => {
      const origin = originOf(replica)
      const { id, specHash, startedAt } = replica
      return origin === null ? [] : [{ id, origin, group: specHash, since: startedAt }]
    })
}

/** What the edge is told of a service's targets: not those that are withheld, unless no other is left. */
export function servingTargets(targets: readonly Target[], withheld: ReadonlySet<string>): readonly Target[] {
  const left = targets.filter(({ id }) => !withheld.has(id))
  return left.length === 0 ? targets : left
}

const troubles: Readonly<Partial<Record<ReplicaStatus['state'], string>>> = {
  waiting: 'it crashed and waits for its next start',
  stopping: 'it is being stopped',
  stopped: 'it is stopped',
  ended: 'it ran to its end',
  'crash-looped': 'it keeps crashing and is left down',
  exposed: 'it was stopped because it listened beyond loopback',
}

/** How a replica is, from its state and its last probe. */
export function healthOf(
  replica: ReplicaStatus,
  probe: ProbeResult | undefined,
): Pick<ReplicaView, 'healthy' | 'detail'> {
  const trouble = troubles[replica.state]
  if (trouble !== undefined) return { healthy: false, detail: replica.detail ?? trouble }
  if (replica.port === null) return { healthy: replica.state === 'running', detail: replica.detail ?? '' }
  return probe === undefined ? { healthy: null, detail: 'not looked at yet' } : probe
}

function replicaView(replica: ReplicaStatus, probe: ProbeResult | undefined): ReplicaView {
  return {
    id: replica.id,
    state: replica.state,
    release: replica.release,
    group: replica.specHash,
    ...healthOf(replica, probe),
    pid: replica.pid,
    address: originOf(replica),
    startedAt: replica.startedAt,
    restarts: replica.restarts,
    cpu: replica.cpu,
    memoryBytes: replica.memoryBytes,
  }
}

function externalView(name: string, address: string, probe: ProbeResult | undefined): ReplicaView {
  return {
    id: name,
    state: 'external',
    release: '',
    group: '',
    healthy: probe?.healthy ?? null,
    detail: probe?.detail ?? 'not looked at yet',
    pid: null,
    address,
    startedAt: null,
    restarts: 0,
    cpu: null,
    memoryBytes: null,
  }
}

function stateOf(replicas: readonly ReplicaView[], wanted: number, rollout: string): State {
  const healthy = replicas.filter((replica) => replica.healthy === true).length
  if (healthy >= wanted) return 'healthy'
  if (healthy > 0) return 'degraded'
  if (replicas.length === 0 && rollout !== '') return 'starting'
  return replicas.some((replica) => replica.healthy === null || replica.state === 'starting')
    ? 'starting'
    : 'down'
}

function sayService(
  { name, state, rollout }: Pick<ServiceView, 'name' | 'state' | 'rollout'>,
  replicas: readonly ReplicaView[],
): string {
  const healthy = replicas.filter((replica) => replica.healthy === true).length
  if (state === 'healthy') return rollout === '' ? `${name} is healthy` : `${name} is healthy; ${rollout}`
  if (state === 'starting' && rollout !== '') return rollout
  if (state === 'starting') return `${name} is starting`
  const ill = replicas.find((replica) => replica.healthy !== true)
  return `${name} has ${healthy} of ${replicas.length} replicas healthy: ${ill?.id ?? name}: ${ill?.detail ?? 'gone'}`
}

function serviceView(name: string, service: ServiceConfig, observed: Observed): ServiceView {
  const replicas =
    service.address === undefined
      ? observed.status.replicas
          .filter((replica) => replica.service === name)
          .map((replica) => replicaView(replica, observed.probes.get(replica.id)))
      : [externalView(name, service.address, observed.probes.get(name))]
  const wanted = service.address === undefined ? service.replicas.min : 1
  const foreign = { phase: 'steady', says: '', judging: undefined } as const
  const standing = service.address === undefined ? observed.rolloutOf(name) : foreign
  const { phase, says: rollout, judging } = standing
  const state = stateOf(replicas, wanted, rollout)
  return {
    name,
    state,
    says: sayService({ name, state, rollout }, replicas),
    phase,
    release: observed.releaseOf(name),
    wanted,
    healthy: replicas.filter((replica) => replica.healthy === true).length,
    command: service.command ?? null,
    rollout,
    ...(judging && { judging }),
    replicas,
  }
}

/** What we know of every service. */
export function assessServices(services: ServicesConfig, observed: Observed): readonly ServiceView[] {
  return Object.entries(services).map(([name, service]) => serviceView(name, service, observed))
}

const worst = ['down', 'degraded', 'starting', 'healthy'] as const

/** The state of the whole: as bad as its worst service. */
export function overallState(services: readonly ServiceView[]): State {
  return worst.find((state) => services.some((service) => service.state === state)) ?? 'healthy'
}

/** The answer in one sentence. */
export function sayEnvironment(services: readonly ServiceView[]): string {
  const healthy = services.filter((service) => service.state === 'healthy').length
  const ill = services.filter((service) => service.state !== 'healthy')
  if (ill.length === 0) {
    if (services.length === 1) return `${services[0]?.says}`
    return healthy === 2 ? 'Both services are healthy' : `All ${healthy} services are healthy`
  }
  return `${healthy} of ${services.length} services are healthy; ${ill.map((service) => service.says).join('; ')}`
}
