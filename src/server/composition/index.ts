export { keepAccepted, loadAccepted } from './accepted.ts'
export {
  environmentFileSchema,
  runsContainers,
  type EnvironmentFile,
  type EnvironmentInput,
} from './config.ts'
export { findDoubts, findTroubles } from './findings.ts'
export { findFile, loadEnvironment, type LoadedEnvironment, type Overrides } from './load.ts'
export { readAgain } from './read-again.ts'
export { problemError } from './problems.ts'
