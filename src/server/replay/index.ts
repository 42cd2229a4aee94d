export { replayOver, type Replay, type ReplayResult } from './replay.ts'
