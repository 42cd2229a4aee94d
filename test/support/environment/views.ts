import type { EnvironmentStatus } from '../../../src/contracts/environment.ts'

type ServiceView = EnvironmentStatus['services'][number]
type ReplicaView = ServiceView['replicas'][number]

/** A replica as a status shows it: a worker that runs and is well. */
export function replicaViewOf(change: Partial<ReplicaView> = {}): ReplicaView {
  return {
    id: 'web/1',
    state: 'running',
    release: '',
    group: 'ab',
    healthy: true,
    detail: '',
    pid: 1,
    address: null,
    startedAt: 1,
    restarts: 0,
    cpu: null,
    memoryBytes: null,
    ...change,
  }
}

/** A service as a status shows it: with one replica that is well, unless it is given others. */
export function serviceViewOf(change: Partial<ServiceView> = {}): ServiceView {
  const replicas = change.replicas ?? [replicaViewOf()]
  const healthy = replicas.filter((each) => each.healthy === true).length
  return {
    name: 'web',
    state: 'healthy',
    says: 'web says',
    wanted: 1,
    healthy,
    command: null,
    phase: 'steady',
    release: '',
    rollout: '',
    ...change,
    replicas,
  }
}
