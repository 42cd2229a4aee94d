export { addingOnly } from './adding-only.ts'
export { createRollouts, type Health, type Rollouts, type Standing } from './rollouts.ts'
