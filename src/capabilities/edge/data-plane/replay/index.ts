export { createReplay, type Replay, type ReplayResult } from './replay.ts'
export type { LoggedRequest, RolledRequest } from './requests.ts'
export { rolledRequests } from './rolled.ts'
