export { bindExplain, type ExplainGround } from './operations.ts'
