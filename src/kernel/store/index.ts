export { startChannel, type Calls, type Channel, type ChannelOptions } from './channel.ts'
export {
  checkPages,
  checkStore,
  ensureStore,
  limitStore,
  migrateStore,
  pragma,
  type StoreKind,
} from './file.ts'
export { serveChannel, type Begun, type Handlers, type Hearers } from './serve.ts'
