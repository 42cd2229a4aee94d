export { createRollouts, type Health, type Rollouts, type Standing } from './rollouts.ts'
