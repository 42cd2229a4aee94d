export { type NamedLimit } from './account.ts'
export { Calendar } from './calendar/calendar.ts'
export { createLimiter } from './limiter.ts'
export { dimensionOf, type Dimension } from './notation/dimension.ts'
export { parseLimit } from './notation/parse.ts'
export type { Reset } from './notation/resets.ts'
export type { Standing } from './peek.ts'
export {
  mostTakes,
  mostWindowCost,
  type KeyHash,
  type Limiter,
  type LimiterOptions,
  type Take,
  type Verdict,
} from './port.ts'
export type { Counts } from './registry.ts'
export { bounds, printLimit, type LimitKind, type LimitRule, type Queue } from './notation/rule.ts'
export { keepSnapshotFile, readSnapshotFile, snapshotEveryMs } from './snapshot/file.ts'
export { restoreTable, type Restored, type RestoreOptions } from './snapshot/restore.ts'
export { admittedIn, saveTable, type SaveOptions } from './snapshot/save.ts'
