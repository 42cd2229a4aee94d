import { z } from 'zod'
import { declareFact } from '../declare.ts'

/** Facts about which Holdfast looks after the services of an environment, where several could. */
export const ownershipFacts = {
  takenOver: declareFact({
    kind: 'environment.taken-over',
    says: 'the services of environment {name} in the swarm were taken over from {from}',
    severity: 'notice',
    data: z.strictObject({ name: z.string(), from: z.string().describe('ids of their data directories') }),
  }),
  lostToAnother: declareFact({
    kind: 'environment.lost-to-another',
    says: 'another Holdfast looks after the services of environment {name} in the swarm: nothing is changed here ({because})',
    severity: 'critical',
    data: z.strictObject({ name: z.string(), because: z.string() }),
  }),
} as const
