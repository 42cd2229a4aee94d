export { addingOnly } from './adding-only.ts'
export { tellsOfLoss } from './tells-of-loss.ts'
export { createRollouts, type Health, type Rollouts, type Standing } from './rollouts.ts'
