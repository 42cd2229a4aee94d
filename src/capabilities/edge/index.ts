import type { TrafficSpan } from '../../contracts/edge.ts'
import type { EdgePolicy } from '../../contracts/edge-policy.ts'
import type { Clock } from '../../kernel/std/index.ts'
import { edgeConfig } from './config.ts'
import { createEdge } from './capability.ts'
import type { Replay, RolledRequest } from './data-plane/replay/index.ts'
import { compilePolicy, findBroadTrust, findExpiredWaivers } from './policy/index.ts'

export type { EdgeParts } from './capability.ts'
export type { EdgeConfig } from './config.ts'
export type { LoggedRequest, Replay, ReplayResult, RolledRequest } from './data-plane/replay/index.ts'
export type { PolicyFinding, PolicyGround } from './policy/index.ts'

/** Tries a policy on requests of the past; control does not load what does that. */
async function replay(policy: EdgePolicy, clock: Clock): Promise<Replay> {
  const { createReplay } = await import('./data-plane/replay/index.ts')
  return createReplay(policy, clock)
}

/** The requests of a span as `Replay.takeRolled` takes them, in their order. */
async function rolled(): Promise<(span: TrafficSpan) => Iterable<RolledRequest>> {
  const { rolledRequests } = await import('./data-plane/replay/index.ts')
  return rolledRequests
}

/**
 * The capability that serves traffic: its section, its policy and its part in control. Its data plane has a door of its
 * own, `data-plane/index.ts`: the edge process waits for no schema when it is started anew.
 */
export const edge = {
  config: edgeConfig,
  compile: compilePolicy,
  findBroadTrust,
  findExpiredWaivers,
  create: createEdge,
  replay,
  rolled,
}
