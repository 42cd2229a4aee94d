import type { LogReader } from '../../capabilities/environment/ports.ts'
import type { ReplicaStatus } from '../../contracts/supervisor.ts'

/** The last lines of what has ended, each read once. */
export interface LastLines {
  /** Of a log; none when it cannot be had. */
  of(log: string): Promise<string[]>
  /** Puts them to the replicas that stay down; what is no replica's any more is forgotten. */
  putTo(replicas: readonly ReplicaStatus[]): Promise<ReplicaStatus[]>
}

const mostLines = 20
const down: ReadonlySet<ReplicaStatus['state']> = new Set(['ended', 'crash-looped'])

/** Creates a reader that has read nothing. */
export function lastLinesFrom(logs: Pick<LogReader, 'tail'>): LastLines {
  const read = new Map<string, Promise<string[]>>()
  const of = (log: string): Promise<string[]> =>
    logs.tail(log, mostLines).then(
      ({ lines }) => [...lines],
      () => [],
    )
  const once = (log: string): Promise<string[]> => {
    const known = read.get(log) ?? of(log)
    read.set(log, known)
    return known
  }
  return {
    of,
    putTo: (replicas) => {
      const there = new Set(replicas.map(({ logFile }) => logFile))
      for (const log of read.keys()) if (!there.has(log)) read.delete(log)
      return Promise.all(
        replicas.map(async (replica) => {
          const { state, lastExit, logFile } = replica
          if (lastExit === null || !down.has(state)) return replica
          return { ...replica, lastExit: { ...lastExit, lastLines: await once(logFile) } }
        }),
      )
    },
  }
}
