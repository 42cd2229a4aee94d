export { askForTakeOver } from './house-id.ts'
export { engineOf, nodesOf, othersLookingAfter, type EngineGround } from './engine-of.ts'
