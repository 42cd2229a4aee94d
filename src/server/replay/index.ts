export { replayOver, rolledRequests, type LoggedRequest, type Replay, type ReplayResult } from './replay.ts'
