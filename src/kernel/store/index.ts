export { startChannel, type Calls, type Channel, type ChannelOptions } from './channel.ts'
export { explainFailure, storeFailure, type FailureErrors, type StoreFailure } from './failure.ts'
export {
  checkPages,
  checkStore,
  ensureStore,
  limitStore,
  migrateStore,
  pragma,
  rollBack,
  transact,
  type StoreKind,
} from './file.ts'
export { markPath, openMark, readMark, type Mark, type MarkFile } from './mark.ts'
export { serveChannel, type Begun, type Handlers, type Hearers } from './serve.ts'
