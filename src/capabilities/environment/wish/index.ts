export { findMissingVariables, findProgramTroubles, findUnfitJobs, findUnfitServices } from './findings.ts'
export { findUnmetNeeds, orderByNeeds, type Needs } from './needs.ts'
export { findStrangers, type Sections } from './strangers.ts'
export {
  programOf,
  serviceDirectory,
  variablesFor,
  wishedServices,
  type Ground,
  type ReplicaGround,
  type RolloutRule,
  type WishedRelease,
  type WishedService,
} from './specifications.ts'
