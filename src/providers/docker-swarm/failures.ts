import type { Group } from '../../capabilities/environment/ports.ts'
import type { ReplicaStatus } from '../../contracts/supervisor.ts'
import { plainError, type Clock } from '../../kernel/std/index.ts'
import { replicaIdOf } from './decide/tasks.ts'

/** Groups of which nothing could be started, shown as replicas that are left down; tried again after a minute. */
export interface Failures {
  add(group: Group, error: unknown): void
  has(group: Group): boolean
  /** Forgets those that are not asked for any more. */
  keep(groups: readonly Group[]): void
  /** Forgets the one of which that is a replica; false: there is none. */
  forget(replicaId: string): boolean
  replicas(): readonly ReplicaStatus[]
}

interface Failure {
  readonly group: Group
  readonly because: string
  readonly at: number
}

const retryAfterMs = 60_000

function replicaOf({ group, because }: Failure, slot: number): ReplicaStatus {
  const { service, hash, specification } = group
  return {
    id: replicaIdOf({ service, group: hash, slot }),
    service,
    state: 'crash-looped',
    leaving: false,
    specHash: hash,
    release: specification?.release ?? null,
    pid: null,
    host: '',
    port: null,
    detail: because,
    startedAt: null,
    restarts: 0,
    adopted: false,
    lastExit: null,
    cpu: null,
    memoryBytes: null,
    logFile: '',
  }
}

/** Creates an empty list of failures. */
export function failuresOf(clock: Clock): Failures {
  const all = new Map<string, Failure>()
  const replicas = (): readonly ReplicaStatus[] => {
    for (const [hash, { at }] of all) if (clock.monotonicMs() - at > retryAfterMs) all.delete(hash)
    return [...all.values()].flatMap((failure) =>
      Array.from({ length: failure.group.replicas }, (_, index) => replicaOf(failure, index + 1)),
    )
  }
  return {
    add: (group, error) => {
      all.set(group.hash, { group, because: plainError(error).message, at: clock.monotonicMs() })
    },
    has: ({ hash }) => all.has(hash),
    keep: (groups) => {
      const asked = new Set(groups.map(({ hash }) => hash))
      for (const hash of all.keys()) if (!asked.has(hash)) all.delete(hash)
    },
    forget: (id) => {
      const found = replicas().find((replica) => replica.id === id)
      return found !== undefined && all.delete(found.specHash)
    },
    replicas,
  }
}
