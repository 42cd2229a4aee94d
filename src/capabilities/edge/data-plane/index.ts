export {
  startDataPlane,
  type DataPlaneParts,
  type InheritedListener,
  type RunningDataPlane,
  type TargetProbe,
} from './crew/index.ts'
