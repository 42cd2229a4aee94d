export { swarmEngine, type SwarmEngine, type SwarmEngineParts } from './swarm-engine.ts'
