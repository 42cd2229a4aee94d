export { createReplay, type Replay, type ReplayResult } from './replay.ts'
