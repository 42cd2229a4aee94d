export {
  startDataPlane,
  type DataPlaneParts,
  type InheritedListener,
  type RunningDataPlane,
  type TargetProbe,
} from './crew/index.ts'
export { createReplay, type LoggedRequest, type Replay, type ReplayResult } from './replay/index.ts'
export type { IdentityStore } from '../ports.ts'
