export { bindPlans } from './operations.ts'
export { looksAt, type FoundDirectory, type Looks } from './drift/index.ts'
export type { PlanGround } from './plan-now.ts'
