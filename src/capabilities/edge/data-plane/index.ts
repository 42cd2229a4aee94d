import type { EdgePolicy } from '../../../contracts/edge-policy.ts'
import type { Clock } from '../../../kernel/std/index.ts'
import type { Replay } from './replay/index.ts'

export {
  startDataPlane,
  type DataPlaneParts,
  type InheritedListener,
  type RunningDataPlane,
  type TargetProbe,
} from './crew/index.ts'
export type { IdentityStore } from '../ports.ts'
export type { Replay, ReplayResult } from './replay/index.ts'

/** Makes a policy ready to be tried on logs; the process that serves does not load what does that. */
export async function openReplay(policy: EdgePolicy, clock: Clock): Promise<Replay> {
  const { createReplay } = await import('./replay/index.ts')
  return createReplay(policy, clock)
}
