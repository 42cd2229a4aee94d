import type { Engine } from '../../../src/capabilities/environment/ports.ts'
import type { ReplicaStatus, Specification, SupervisorStatus } from '../../../src/contracts/supervisor.ts'
import { systemClock } from '../../../src/kernel/std/index.ts'
import { swarmEngine, type SwarmEngine } from '../../../src/providers/docker-swarm/index.ts'
import { logFiles } from '../../../src/providers/log-files/index.ts'
import { specificationOf } from '../environment/replicas.ts'
import { eventually } from '../eventually.ts'
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
export function engineOn(
  { socketPath }: Daemon,
  supervisor: Engine = idleSupervisor(),
  house = 'house-1',
): SwarmEngine {
  return swarmEngine({
    environment: 'arcade',
    owner: () => Promise.resolve(house),
    socketPath,
    supervisor,
    files: logFiles,
    clock: systemClock,
  })
}

/** A specification of a shell script in the tiny image. */
export function scriptInImage(script: string, change: Partial<Specification> = {}): Specification {
  const command = ['sh', '-c', script]
  return specificationOf({ release: 'one', command, directory: '/', image: tinyImage, ...change })
}

/** Serves a text at PORT. */
export const serving = (text: string): string =>
  `echo -n ${text} > /www/index.html; exec httpd -f -p $PORT -h /www`

/** Waits until something holds; fails with its last value after a minute. */
export function inTime<Value>(
  read: () => Promise<Value>,
  holds: (value: Value) => boolean,
  what: string,
): Promise<Value> {
  return eventually(read, holds, { what, timeoutMs: 60_000, pollMs: 50 })
}
