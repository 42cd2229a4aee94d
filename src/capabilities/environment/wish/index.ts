export { findMissingVariables, findProgramTroubles, findUnfitServices } from './findings.ts'
export { findUnmetNeeds, orderByNeeds, type Needs } from './needs.ts'
export {
  serviceDirectory,
  wishedServices,
  type Ground,
  type ReplicaGround,
  type RolloutRule,
  type WishedRelease,
  type WishedService,
} from './specifications.ts'
