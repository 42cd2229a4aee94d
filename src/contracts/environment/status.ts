import { z } from 'zod'
import { moment, serviceName } from '../shapes.ts'
import { processStatus, replicaState } from '../supervisor.ts'
import { databaseEngine } from './databases.ts'

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

const measured = z.strictObject({
  requests: z.number(),
  failures: z.number().describe('answers of class 5xx, and those that the edge had to give for it'),
  p95Ms: z.number().nullable().describe('to the first byte; null: nothing was measured'),
})

/** What the edge has measured of the first new replicas beside the old ones, and when they are found worse. */
const judging = z.strictObject({
  fresh: measured,
  old: measured,
  sinceMs: z.number().describe('how long they have been judged'),
  forMs: z.number().describe('how long they are'),
  errorMargin: z.number().describe('so much higher may the share of failed requests be, 0 to 1'),
  p95Factor: z.number().describe('so many times the p95 of the old ones may theirs be'),
})

/** How new replicas do beside the old ones while they are judged. */
export type Judging = z.infer<typeof judging>

const serviceView = z.strictObject({
  name: serviceName,
  state: z.enum(['healthy', 'starting', 'degraded', 'down']),
  says: z.string().describe('the state in one sentence'),
  phase: rolloutPhase,
  release: z.string().describe('that it is wished to run; empty: the files as they lie in its directory'),
  wanted: z.number().int(),
  healthy: z.number().int(),
  command: z.array(z.string()).nullable().describe('null: somebody else runs it'),
  database: databaseEngine.exactOptional().describe('it is a database of this kind'),
  rollout: z.string().describe('what is on the way from one specification to the next; empty: nothing'),
  judging: judging.exactOptional().describe('while new replicas are judged'),
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
