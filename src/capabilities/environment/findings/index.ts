export { findUnmetNeeds } from './needs.ts'
export { findMissingVariables, findProgramTroubles } from './programs.ts'
export { findStrangers, type Sections } from './strangers.ts'
