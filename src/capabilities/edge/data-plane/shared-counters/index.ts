export { edgeSliceMs, localShare, overshootOf, type Overshoot, type Sharing } from './overshoot.ts'
export type {
  SharedCounters,
  SharedLease,
  SharedLimit,
  SharedParts,
  SharedTake,
  SharedVerdict,
  WhenDown,
} from './port.ts'
export { createSharedCounters } from './shared-counters.ts'
