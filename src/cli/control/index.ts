export type { Door, JobWait } from './door.ts'
export { locateControl, readRun, type Address } from './locate.ts'
export { findDataDirectory, type Directions } from './place.ts'
