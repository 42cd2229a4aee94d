export { handedPaths, readContents } from './contents.ts'
export { keepAccepted, loadAccepted } from './accepted.ts'
export { specAlone, startTimeoutsOf, type AloneSpec, type AloneSurroundings } from './alone.ts'
export {
  environmentFileSchema,
  runsContainers,
  type EnvironmentFile,
  type EnvironmentInput,
} from './config.ts'
export { definedVariables, findDoubts, findOthers, findTroubles, namedFiles } from './findings.ts'
export {
  findFile,
  loadEnvironment,
  parseEnvironment,
  type LoadedEnvironment,
  type Overrides,
  type PlacedEnvironment,
} from './load.ts'
export { problemError } from './problems.ts'
export { storeVersions } from './stores.ts'
