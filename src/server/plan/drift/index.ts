export { driftNow, type DriftGround } from './drift-now.ts'
export { looksAt, type FoundDirectory, type Looks } from './looks.ts'
