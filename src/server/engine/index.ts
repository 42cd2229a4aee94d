export { engineOf, nodesOf, type EngineGround } from './engine-of.ts'
