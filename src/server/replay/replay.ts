import { edge, type Replay } from '../../capabilities/edge/index.ts'
import { systemClock } from '../../kernel/std/index.ts'
import type { EnvironmentFile } from '../composition/index.ts'

export type { LoggedRequest, Replay, ReplayResult } from '../../capabilities/edge/index.ts'

/** The edge's limits of an environment file, ready to be tried on requests of the past. Touches nothing. */
export function replayOver({ name, services, edge: section }: EnvironmentFile): Promise<Replay> {
  const upstreams = Object.entries(services)
    .filter(([, { listens }]) => listens)
    .map(([service, { health }]) => ({ name: service, targets: [], healthPath: health ?? null }))
  return edge.replay(edge.compile(section, { environment: name, upstreams }), systemClock)
}

/** The requests of five minutes of roll-ups, as `Replay.takeRolled` takes them. */
export const rolledRequests = edge.rolled
