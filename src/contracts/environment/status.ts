import { z } from 'zod'
import { moment, serviceName } from '../shapes.ts'
import { processStatus, replicaState } from '../supervisor.ts'

/**
 * How far a service has come on its way to the group that is wished: `steady`, it is there; `waiting` for what it needs;
 * `starting`; `judging` the first new replicas; `moving` from the old ones to the new; `refused`, the new group was given
 * up and the old one goes on.
 */
export const rolloutPhase = z.enum(['steady', 'waiting', 'starting', 'judging', 'moving', 'refused'])

/** How far a service has come. */
export type RolloutPhase = z.infer<typeof rolloutPhase>

/** A replica, or the address of a service that somebody else runs. */
const replicaView = z.strictObject({
  id: z.string(),
  state: z.union([replicaState, z.literal('external')]),
  release: z.string().nullable().describe('empty: as its files lie in its directory; null: not known'),
  group: z.string().describe('content hash of its specification; empty for an address'),
  healthy: z.boolean().nullable().describe('null: not known yet'),
  detail: z.string().describe('why it is not healthy, else empty'),
  pid: z.number().int().nullable(),
  address: z.string().nullable(),
  startedAt: moment.nullable(),
  restarts: z.number().int(),
  cpu: z.number().nullable().describe('share of one core'),
  memoryBytes: z.number().nullable(),
})

const serviceView = z.strictObject({
  name: serviceName,
  state: z.enum(['healthy', 'starting', 'degraded', 'down']),
  says: z.string().describe('the state in one sentence'),
  phase: rolloutPhase,
  release: z.string().describe('that it is wished to run; empty: the files as they lie in its directory'),
  wanted: z.number().int(),
  healthy: z.number().int(),
  command: z.array(z.string()).nullable().describe('null: somebody else runs it'),
  rollout: z.string().describe('what is on the way from one specification to the next; empty: nothing'),
  replicas: z.array(replicaView),
})

/** The environment at a glance. */
export const environmentStatus = z.strictObject({
  name: z.string(),
  version: z.string(),
  says: z.string().describe('the answer in one sentence'),
  state: z.enum(['healthy', 'starting', 'degraded', 'down']),
  startedAt: moment,
  services: z.array(serviceView),
  processes: z.array(processStatus),
  notes: z.array(z.string()).describe('what this machine does not permit'),
})

/** The environment at a glance. */
export type EnvironmentStatus = z.infer<typeof environmentStatus>
