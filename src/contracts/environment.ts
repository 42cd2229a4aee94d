import { z } from 'zod'
import { declareFact, declareOperation } from './declare.ts'
import { databaseFacts, databaseOperations } from './environment/databases.ts'
import { deployFacts, deployOperations } from './environment/deploys.ts'
import { ownershipFacts } from './environment/ownership.ts'
import { planFacts, planOperations } from './environment/plans.ts'
import { rebuildFacts, rebuildOperations } from './environment/rebuilds.ts'
import { runFacts, runOperations } from './environment/runs.ts'
import { environmentStatus } from './environment/status.ts'
import { volumeFacts, volumeOperations } from './environment/volumes.ts'
import { nothing, serviceName } from './shapes.ts'

export type { DatabaseList } from './environment/databases.ts'
export type { DeployHistory } from './environment/deploys.ts'
export type { Drift, EnvironmentPlan, PlanStep } from './environment/plans.ts'
export type { RebuildPhase, RebuildResult } from './environment/rebuilds.ts'
export type { RunHistory } from './environment/runs.ts'
export type { EnvironmentStatus, Judging, RolloutPhase } from './environment/status.ts'
export type { VolumeList } from './environment/volumes.ts'

const replica = z.string().describe('<service>/<slot>')
const crash = {
  replica,
  service: serviceName,
  code: z.number().int().nullable(),
  signal: z.string().nullable(),
  detail: z.string(),
  lastLines: z.array(z.string()),
}
const group = {
  service: serviceName,
  release: z.string().describe('empty: the files as they lie in its directory'),
  group: z.string().describe('content hash of the specification'),
}
/** Number of the event that the fact stems from; with it a restarted control misses and repeats none. */
const event = { event: z.number().int() }
/** Of a replica; where that is a task of Docker Swarm, the number is the one of its last change. */
const replicaEvent = { ...event, task: z.string().optional().describe('of Docker Swarm: <cluster>/<task>') }

/** Facts about the environment. */
export const environmentFacts = {
  ...databaseFacts,
  ...deployFacts,
  ...ownershipFacts,
  ...planFacts,
  ...rebuildFacts,
  ...runFacts,
  ...volumeFacts,
  started: declareFact({
    kind: 'environment.started',
    says: 'environment {name} was started with Holdfast {version}',
    severity: 'notice',
    data: z.strictObject({ ...event, name: z.string(), version: z.string(), services: z.array(serviceName) }),
  }),
  programReplaced: declareFact({
    kind: 'environment.program-replaced',
    says: 'environment {name} runs on Holdfast {version} now: {detail}',
    severity: 'notice',
    data: z.strictObject({ ...event, name: z.string(), version: z.string(), detail: z.string() }),
  }),
  stopped: declareFact({
    kind: 'environment.stopped',
    says: 'environment {name} was stopped',
    severity: 'notice',
    data: z.strictObject({ ...event, name: z.string() }),
  }),
  configurationAccepted: declareFact({
    kind: 'environment.configuration-accepted',
    says: 'a changed environment file was accepted: {summary}',
    severity: 'notice',
    data: z.strictObject({ hash: z.string(), summary: z.string() }),
  }),
  processStarted: declareFact({
    kind: 'environment.process-started',
    says: '{process} was started with pid {pid}',
    data: z.strictObject({ ...event, process: z.string(), pid: z.number().int() }),
  }),
  processCrashed: declareFact({
    kind: 'environment.process-crashed',
    says: '{process} ended unexpectedly ({detail}) and is started again',
    severity: 'warning',
    data: z.strictObject({
      ...event,
      process: z.string(),
      detail: z.string(),
      lastLines: z.array(z.string()),
    }),
  }),
  replicaStarted: declareFact({
    kind: 'environment.replica-started',
    says: '{replica} was started with pid {pid}',
    data: z.strictObject({
      ...replicaEvent,
      replica,
      service: serviceName,
      pid: z.number().int(),
      port: z.number().int().nullable(),
    }),
  }),
  replicaAdopted: declareFact({
    kind: 'environment.replica-adopted',
    says: '{replica} had gone on running with pid {pid} and was adopted',
    severity: 'notice',
    data: z.strictObject({ ...replicaEvent, replica, service: serviceName, pid: z.number().int() }),
  }),
  replicaStopped: declareFact({
    kind: 'environment.replica-stopped',
    says: '{replica} was stopped',
    data: z.strictObject({ ...replicaEvent, replica, service: serviceName, detail: z.string() }),
  }),
  replicaCrashed: declareFact({
    kind: 'environment.replica-crashed',
    says: '{replica} ended unexpectedly ({detail}) and is started again in {restartInMs} ms',
    severity: 'warning',
    data: z.strictObject({ ...replicaEvent, ...crash, restartInMs: z.number() }),
  }),
  replicaCrashLooped: declareFact({
    kind: 'environment.replica-crash-looped',
    says: '{replica} keeps crashing ({detail}) and is left down',
    severity: 'critical',
    data: z.strictObject({ ...replicaEvent, ...crash }),
  }),
  replicaUnstartable: declareFact({
    kind: 'environment.replica-unstartable',
    says: '{replica} cannot be started: {detail}',
    severity: 'critical',
    data: z.strictObject({ ...replicaEvent, ...crash }),
  }),
  replicaExposed: declareFact({
    kind: 'environment.replica-exposed',
    says: '{replica} was stopped: it {detail}, which would be an interface without a limit',
    severity: 'critical',
    data: z.strictObject({ ...replicaEvent, ...crash }),
  }),
  replicaEnded: declareFact({
    kind: 'environment.replica-ended',
    says: '{replica} ran to its end ({detail})',
    data: z.strictObject({ ...replicaEvent, ...crash }),
  }),
  rolledOut: declareFact({
    kind: 'environment.rolled-out',
    says: '{service} runs with its new specification, {replicas} replicas',
    severity: 'notice',
    data: z.strictObject({ ...group, replicas: z.number().int() }),
  }),
  rolloutRefused: declareFact({
    kind: 'environment.rollout-refused',
    says: '{service} did not take its new specification: {because}; the old replicas go on',
    severity: 'critical',
    data: z.strictObject({ ...group, because: z.string() }),
  }),
  serviceHealthy: declareFact({
    kind: 'environment.service-healthy',
    says: '{service} is healthy, {healthy} of {wanted}',
    severity: 'notice',
    data: z.strictObject({ service: serviceName, healthy: z.number().int(), wanted: z.number().int() }),
  }),
  serviceUnhealthy: declareFact({
    kind: 'environment.service-unhealthy',
    says: '{service} is not healthy, {healthy} of {wanted} ({detail})',
    severity: 'warning',
    data: z.strictObject({
      service: serviceName,
      healthy: z.number().int(),
      wanted: z.number().int(),
      detail: z.string(),
    }),
  }),
} as const

/** Operations on the environment. */
export const environmentOperations = {
  ...databaseOperations,
  ...deployOperations,
  ...planOperations,
  ...rebuildOperations,
  ...runOperations,
  ...volumeOperations,
  status: declareOperation({
    name: 'environment.status',
    summary: 'Show whether everything is up',
    input: nothing,
    output: environmentStatus,
    permission: 'view',
    limit: '600/min per caller burst 200',
    command: { words: 'status', positional: [] },
  }),
  logs: declareOperation({
    name: 'environment.logs',
    summary: 'Show the log of a service',
    input: z.strictObject({
      service: serviceName,
      replica: z.number().int().positive().optional().describe('only this slot'),
      lines: z.number().int().min(1).max(5000).default(100).describe('how many lines of the past'),
      follow: z.boolean().default(false).describe('go on until interrupted'),
    }),
    output: z.strictObject({ replica: z.string(), line: z.string() }),
    answers: 'stream',
    permission: 'view',
    limit: '60/min per caller',
    command: { words: 'logs', positional: ['service'] },
  }),
  restart: declareOperation({
    name: 'environment.restart',
    summary: 'Restart a service, one replica after the other, waiting for each to be healthy',
    input: z.strictObject({ service: serviceName }),
    output: z.strictObject({ restarted: z.array(z.string()) }),
    answers: 'job',
    permission: 'operate',
    danger: 'changes',
    limit: '10/min per caller',
    command: { words: 'restart', positional: ['service'] },
  }),
  reload: declareOperation({
    name: 'environment.reload',
    summary: 'Read the environment file again and change what changed',
    input: nothing,
    output: z.strictObject({ changed: z.boolean(), says: z.string() }),
    permission: 'operate',
    danger: 'changes',
    limit: '20/min per caller',
    command: { words: 'reload', positional: [] },
  }),
} as const
