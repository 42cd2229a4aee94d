export { silentAnnouncer, type Announcement, type Announcer } from './announce.ts'
export { authorise, permits } from './authorise.ts'
export type {
  Answer,
  CallRequest,
  Credentials,
  HouseCall,
  Passage,
  Refusal,
  SessionChange,
  ShownCredentials,
  Visitor,
} from './call.ts'
export { keepLimits, readKeptLimits } from './kept-limits.ts'
export { createCallLimits, type CallLimits, type DoorLimit, type KeepableLimits } from './limits.ts'
export { passStages, type StageGround } from './pipeline.ts'
export { validateInput, validateOutput } from './validate.ts'
