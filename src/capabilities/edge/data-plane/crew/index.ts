export type { InheritedListener } from './crew.ts'
export { startDataPlane, type DataPlaneParts, type RunningDataPlane } from './data-plane.ts'
export type { TargetProbe } from './health-checks.ts'
export { mostTableBytes, type KeptTable } from './table/index.ts'
