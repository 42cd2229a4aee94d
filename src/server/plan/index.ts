export { bindPlans } from './operations.ts'
export type { PlanGround } from './plan-now.ts'
