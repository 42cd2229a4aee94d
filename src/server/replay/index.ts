export { openReplay, type Replay, type ReplayResult } from './replay.ts'
