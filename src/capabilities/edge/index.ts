import { edgeConfig } from './config.ts'
import { createEdge } from './capability.ts'
import { startDataPlane } from './data-plane/index.ts'
import { compilePolicy, findExpiredWaivers } from './policy/index.ts'

export type { EdgeParts } from './capability.ts'
export type { EdgeConfig } from './config.ts'
export type { RunningDataPlane } from './data-plane/index.ts'
export type { PolicyFinding, PolicyGround } from './policy/index.ts'

/** The capability that serves traffic: its section, its policy, its part in control, and its data plane. */
export const edge = {
  config: edgeConfig,
  compile: compilePolicy,
  findExpiredWaivers,
  create: createEdge,
  startDataPlane,
}
