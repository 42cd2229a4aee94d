export { findMissingVariables, findProgramTroubles } from './findings.ts'
export { findUnmetNeeds, needsOf, orderByNeeds, type Needs } from './needs.ts'
export { findStrangers, type Sections } from './strangers.ts'
export {
  programPath,
  serviceDirectory,
  variablesFor,
  wishedAlone,
  wishedServices,
  type Ground,
  type ReplicaGround,
  type RolloutRule,
  type WishedRelease,
  type WishedService,
} from './specifications.ts'
