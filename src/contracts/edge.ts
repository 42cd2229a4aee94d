import { z } from 'zod'
import { declareFact, declareOperation } from './declare.ts'
import { nothing } from './shapes.ts'

/** Facts of the edge. */
export const edgeFacts = {
  policyAccepted: declareFact({
    kind: 'edge.policy-accepted',
    says: 'the edge took on policy {revision} with {routes} routes',
    data: z.strictObject({ revision: z.string(), routes: z.number().int() }),
  }),
} as const

/** Operations of the edge. */
export const edgeOperations = {
  traffic: declareOperation({
    name: 'edge.traffic',
    summary: 'Show how much traffic there is and what is refused',
    input: nothing,
    output: z.strictObject({ requestsPerSecond: z.number() }),
    permission: 'view',
    command: { words: 'traffic', positional: [] },
  }),
} as const
