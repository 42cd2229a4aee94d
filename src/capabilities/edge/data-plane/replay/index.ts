export { createReplay, type LoggedRequest, type Replay, type ReplayResult } from './replay.ts'
