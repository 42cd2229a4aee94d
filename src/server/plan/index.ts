export { bindPlans } from './operations.ts'
