export { findUnfitFiles, sayUnfitSize } from './handed-files.ts'
export { findUnmetNeeds } from './needs.ts'
export {
  findMissingVariables,
  findProgramTroubles,
  findUnfitDatabases,
  findUnfitJobs,
  findUnfitServices,
} from './programs.ts'
export { findStrangers, type Sections } from './strangers.ts'
export { findPartedVolumes, findUnplacedVolumes, type ClusterNode } from './volumes.ts'
