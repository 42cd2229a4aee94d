export { claimGroups, otherOwners } from './ownership.ts'
export { swarmNodes } from './nodes.ts'
export { swarmEngine, type SwarmEngine, type SwarmEngineParts } from './swarm-engine.ts'
