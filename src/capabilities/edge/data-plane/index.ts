export {
  mostTableBytes,
  startDataPlane,
  type DataPlaneParts,
  type InheritedListener,
  type KeptTable,
  type RunningDataPlane,
  type TargetProbe,
} from './crew/index.ts'
export type { IdentityStore } from '../ports.ts'
