export { fileVariable, handedFiles, mostFileBytes, type FileContents } from './handed-files.ts'
export { needsOf, orderByNeeds, startTimeouts, type Needs } from './needs.ts'
export { ownershipOf, type Ownership } from './ownership.ts'
export {
  programOf,
  programPath,
  searchPathFor,
  serviceDirectory,
  variablesFor,
  wishedAlone,
  wishedServices,
  type Ground,
  type ReplicaGround,
  type RolloutRule,
  type WishedRelease,
  type Wish,
} from './specifications.ts'
