export type { RolloutPhase } from './decide-rollout.ts'
export { createRollouts, type Health, type Rollouts, type Standing } from './rollouts.ts'
