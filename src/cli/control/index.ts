export type { Door, JobWait } from './door.ts'
export { locateControl, type Address } from './locate.ts'
export { findDataDirectory, type Directions } from './place.ts'
