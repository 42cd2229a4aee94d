export { keepAccepted, loadAccepted } from './accepted.ts'
export { environmentFileSchema, type EnvironmentFile, type EnvironmentInput } from './config.ts'
export { findDoubts, findTroubles, namedFiles } from './findings.ts'
export {
  findFile,
  loadEnvironment,
  type LoadedEnvironment,
  type Overrides,
  type PlacedEnvironment,
} from './load.ts'
export { problemError } from './problems.ts'
export { storeVersions } from './stores.ts'
