export { genesisHash, hashLink, hashPayload, headerText, type Entry, type Header } from './chain.ts'
export { factFrom, type FactExtras } from './fact-from.ts'
export { lastSaid, type ReadableFact } from './last-said.ts'
export { verifyLines } from './lines.ts'
export { memoryTimeline, type MemoryOptions } from './memory.ts'
export type {
  Checkpoint,
  Fact,
  FactOf,
  FactQuery,
  Fold,
  Head,
  NewFact,
  Progress,
  Retention,
  Timeline,
  Verification,
  VerifyOptions,
  View,
} from './port.ts'
export { schemaVersion as timelineVersion } from './sqlite/schema.ts'
export { openTimeline, verifyFile, type OpenOptions } from './sqlite/open.ts'
export {
  startView,
  startViews,
  type Folds,
  type RunningView,
  type RunningViews,
  type ViewOptions,
} from './view.ts'
