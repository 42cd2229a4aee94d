import type { Engine } from '../../../src/capabilities/environment/ports.ts'
import type { ReplicaStatus, Specification, SupervisorStatus } from '../../../src/contracts/supervisor.ts'
import { contentHash, systemClock } from '../../../src/kernel/std/index.ts'
import { swarmEngine, type SwarmEngine } from '../../../src/providers/docker-swarm/index.ts'
import { logFiles } from '../../../src/providers/log-files/index.ts'
import type { Daemon } from './daemon.ts'
import { tinyImage } from './image.ts'

/** A supervisor with these replicas, which it lets go when it is not asked for them any more. */
export function idleSupervisor(replicas: ReplicaStatus[] = []): Engine {
  let left: readonly ReplicaStatus[] = replicas
  const status = async (): Promise<SupervisorStatus> => ({
    pid: 1,
    version: '1',
    startedAt: 1,
    processes: [],
    replicas: [...left],
    notes: [],
  })
  return {
    runs: 'programs',
    choosesReplica: true,
    status,
    run: (groups) => {
      left = left.filter(({ specHash }) =>
        groups.some(({ hash, replicas: wanted }) => hash === specHash && wanted > 0),
      )
      return status()
    },
    restart: async () => undefined,
    events: async (_, signal) => {
      await systemClock.sleep(5000, signal)
      return []
    },
  }
}

/** The engine of the environment `arcade` on a daemon. */
export function engineOn({ socketPath }: Daemon, supervisor: Engine = idleSupervisor()): SwarmEngine {
  return swarmEngine({ environment: 'arcade', socketPath, supervisor, files: logFiles, clock: systemClock })
}

/** A specification of a shell script in the tiny image. */
export function scriptInImage(script: string, change: Partial<Specification> = {}): Specification {
  return {
    service: 'web',
    release: 'one',
    command: ['sh', '-c', script],
    directory: '/',
    image: tinyImage,
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

/** A group of so many replicas. */
export function groupOf(specification: Specification, replicas: number) {
  const hash = contentHash(specification)
  return { service: specification.service, hash, specification, replicas, leaving: [] }
}

/** Serves a text at PORT. */
export const serving = (text: string): string =>
  `echo -n ${text} > /www/index.html; exec httpd -f -p $PORT -h /www`

/** Waits until something holds; fails with its last value. */
export async function inTime<Value>(
  read: () => Promise<Value>,
  holds: (value: Value) => boolean,
  what: string,
): Promise<Value> {
  const deadlineMs = systemClock.monotonicMs() + 60_000
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (systemClock.monotonicMs() > deadlineMs)
      throw new Error(`never: ${what}; last: ${JSON.stringify(value)}`)
    await systemClock.sleep(50)
  }
}

/** What a replica answers at a path. */
export async function answerOf({ host, port }: ReplicaStatus, path = '/'): Promise<string> {
  const answer = await fetch(`http://${host}:${port}${path}`, { signal: AbortSignal.timeout(3000) })
  return answer.text()
}
