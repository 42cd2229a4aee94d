export { askForTakeOver } from './house-id.ts'
export { engineOf, nodesOf, othersLookingAfter, socketOf, type EngineGround } from './engine-of.ts'
