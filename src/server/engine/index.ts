export { engineOf, type EngineGround } from './engine-of.ts'
