export { mergeOffenders, otherRoutes, type Offenders } from './merge.ts'
export { createNearMissBook, type NearMissBook } from './near-misses.ts'
export { mergeSenders, SpanTally } from './senders.ts'
export { MinuteTally, type RefusedMinute } from './tally.ts'
