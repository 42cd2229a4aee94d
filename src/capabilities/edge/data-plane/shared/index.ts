export { counted, openCounters, type Counters } from './counters.ts'
export { limitCapacity, type FromThread, type Handout, type KeyPair, type Place } from './messages.ts'
export type {
  IdentityMaterial,
  LookAlike,
  SharedRefusals,
  ThreadGround,
  ThreadNews,
  ToThread,
} from './messages.ts'
export { groupSlot, planSlots, type GroupKey, type SlotPlan } from './slot-plan.ts'
export { createSlotBook, mostThreads, openTargetBoard, type SlotBook, type TargetBoard } from './targets.ts'
