import type { Group } from '../../../src/capabilities/environment/ports.ts'
import type { ReplicaStatus, Specification } from '../../../src/contracts/supervisor.ts'
import { contentHash } from '../../../src/kernel/std/index.ts'

/** How replicas of a web service are run. */
export function specificationOf(change: Partial<Specification> = {}): Specification {
  return {
    service: 'web',
    release: '',
    command: ['run'],
    directory: '/srv',
    variables: {},
    port: { assigned: true },
    restarts: true,
    stopTimeoutMs: 1000,
    mayExpose: false,
    memoryMiB: null,
    cpus: null,
    ...change,
  }
}

/** A replica of it that runs. */
export function replicaStatusOf(change: Partial<ReplicaStatus> = {}): ReplicaStatus {
  return {
    id: 'web/1',
    service: 'web',
    state: 'running',
    leaving: false,
    specHash: 'ab',
    release: '',
    pid: 7,
    host: '127.0.0.1',
    port: 3001,
    detail: null,
    startedAt: 1,
    restarts: 0,
    adopted: false,
    lastExit: null,
    cpu: null,
    memoryBytes: null,
    logFile: '/tmp/log',
    ...change,
  }
}

/** A group of so many replicas. */
export function groupOf(
  specification: Specification,
  replicas: number,
  change: Partial<Group> = {},
): Group & { readonly specification: Specification | null } {
  const hash = contentHash(specification)
  return { service: specification.service, hash, specification, replicas, leaving: [], ...change }
}

/** What a replica answers at a path. */
export async function answerOf({ host, port }: ReplicaStatus, path = '/'): Promise<string> {
  const answer = await fetch(`http://${host}:${port}${path}`, { signal: AbortSignal.timeout(3000) })
  return answer.text()
}
