export { bindDeploys } from './operations.ts'
