import { z } from 'zod'
import { declareFact, declareOperation } from './declare.ts'
import { moment, nothing, serviceName } from './shapes.ts'
import { processStatus, replicaState } from './supervisor.ts'

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
const deploy = {
  service: serviceName,
  release: z.string(),
  before: z.string().describe('what ran before; "no release" for the files as they lay in its directory'),
  job: z.string(),
}
/** Number of the supervisor's event that the fact stems from; with it a restarted control misses and repeats none. */
const event = { event: z.number().int() }

/** Facts about the environment. */
export const environmentFacts = {
  started: declareFact({
    kind: 'environment.started',
    says: 'environment {name} was started with Holdfast {version}',
    severity: 'notice',
    data: z.strictObject({ ...event, name: z.string(), version: z.string(), services: z.array(serviceName) }),
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
      ...event,
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
    data: z.strictObject({ ...event, replica, service: serviceName, pid: z.number().int() }),
  }),
  replicaStopped: declareFact({
    kind: 'environment.replica-stopped',
    says: '{replica} was stopped',
    data: z.strictObject({ ...event, replica, service: serviceName, detail: z.string() }),
  }),
  replicaCrashed: declareFact({
    kind: 'environment.replica-crashed',
    says: '{replica} ended unexpectedly ({detail}) and is started again in {restartInMs} ms',
    severity: 'warning',
    data: z.strictObject({ ...event, ...crash, restartInMs: z.number() }),
  }),
  replicaCrashLooped: declareFact({
    kind: 'environment.replica-crash-looped',
    says: '{replica} keeps crashing ({detail}) and is left down',
    severity: 'critical',
    data: z.strictObject({ ...event, ...crash }),
  }),
  replicaUnstartable: declareFact({
    kind: 'environment.replica-unstartable',
    says: '{replica} cannot be started: {detail}',
    severity: 'critical',
    data: z.strictObject({ ...event, ...crash }),
  }),
  replicaExposed: declareFact({
    kind: 'environment.replica-exposed',
    says: '{replica} was stopped: it {detail}, which would be an interface without a limit',
    severity: 'critical',
    data: z.strictObject({ ...event, ...crash }),
  }),
  replicaEnded: declareFact({
    kind: 'environment.replica-ended',
    says: '{replica} ran to its end ({detail})',
    data: z.strictObject({ ...event, ...crash }),
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
  deployBegun: declareFact({
    kind: 'environment.deploy-begun',
    says: '{service} is being moved from {before} to {release}{note}',
    severity: 'notice',
    data: z.strictObject({
      ...deploy,
      source: z.string().describe('where its files came from, in words'),
      note: z.string().describe('why, in the words of who deployed, after a colon; empty: nothing was said'),
      rollback: z.boolean().describe('back to a release that was good: it is not judged again'),
    }),
  }),
  deployed: declareFact({
    kind: 'environment.deployed',
    says: '{service} runs {release} since {seconds} s after its deploy began ({verdict})',
    severity: 'notice',
    data: z.strictObject({ ...deploy, seconds: z.number(), verdict: z.string() }),
  }),
  deployFailed: declareFact({
    kind: 'environment.deploy-failed',
    says: '{service} went back from {release} to {before}: {because}',
    severity: 'critical',
    data: z.strictObject({ ...deploy, because: z.string() }),
  }),
  releaseStored: declareFact({
    kind: 'environment.release-stored',
    says: '{release} of {service} was stored, {files} files, from {source}',
    data: z.strictObject({
      service: serviceName,
      release: z.string(),
      source: z.string(),
      digest: z.string().describe('SHA-256 over names, modes and contents, hex'),
      files: z.number().int(),
      sizeBytes: z.number(),
    }),
  }),
  releasesPruned: declareFact({
    kind: 'environment.releases-pruned',
    says: 'old releases of {service} were removed: {releases}',
    data: z.strictObject({ service: serviceName, releases: z.string() }),
  }),
  deploysLocked: declareFact({
    kind: 'environment.deploys-locked',
    says: 'deploys of {service} are locked: {because}',
    severity: 'notice',
    data: z.strictObject({ service: z.string().describe('* for all'), because: z.string() }),
  }),
  deploysUnlocked: declareFact({
    kind: 'environment.deploys-unlocked',
    says: 'deploys of {service} are no longer locked',
    severity: 'notice',
    data: z.strictObject({ service: z.string().describe('* for all') }),
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

/** Version of a service's files: what one would give a tag. */
export const releaseName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
    'letters, digits, dots, dashes, plus and underscores, up to 64',
  )

const deployResult = z.strictObject({
  service: serviceName,
  release: z.string(),
  before: z.string(),
  seconds: z.number(),
  says: z.string(),
})

const deployView = z.strictObject({
  job: z.string(),
  service: serviceName,
  release: z.string(),
  before: z.string(),
  at: moment,
  by: z.string(),
  note: z.string(),
  source: z.string(),
  outcome: z.enum(['under way', 'deployed', 'rolled back']),
  says: z.string(),
})

/** What was deployed, what one can go back to, and what is locked. */
export const deployHistory = z.strictObject({
  says: z.string(),
  deploys: z.array(deployView),
  releases: z.array(
    z.strictObject({
      service: serviceName,
      running: z.string().describe('empty: the files as they lie in its directory'),
      kept: z.array(z.string()).describe('releases that one can go back to, newest first'),
    }),
  ),
  locks: z.array(z.strictObject({ service: z.string(), because: z.string(), by: z.string(), since: moment })),
})

/** What was deployed, what one can go back to, and what is locked. */
export type DeployHistory = z.infer<typeof deployHistory>

const serviceOrAll = z.union([serviceName, z.literal('*')]).default('*')

/** Operations on the environment. */
export const environmentOperations = {
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
  deploy: declareOperation({
    name: 'environment.deploy',
    summary: 'Move a service to a new release, judged beside the old one, back by itself if it is worse',
    input: z.strictObject({
      service: serviceName,
      version: releaseName.describe('how the release is called, as 1.4.2'),
      from: z
        .string()
        .max(4096)
        .optional()
        .describe(
          'a directory, a .tar, .tar.gz or .tgz file, or git:<ref> of the repository in which the service lies; default: its directory as it is',
        ),
      note: z.string().max(500).default('').describe('why, for the others'),
    }),
    output: deployResult,
    answers: 'job',
    permission: 'operate',
    danger: 'changes',
    limit: '60/hour per caller',
    command: { words: 'deploy', positional: ['service'] },
  }),
  rollback: declareOperation({
    name: 'environment.rollback',
    summary: 'Move a service back to an earlier release that was good',
    input: z.strictObject({
      service: serviceName,
      to: releaseName.optional().describe('default: the last one that was good before the present one'),
      note: z.string().max(500).default('').describe('why, for the others'),
    }),
    output: deployResult,
    answers: 'job',
    permission: 'operate',
    danger: 'changes',
    limit: '60/hour per caller',
    command: { words: 'deploy rollback', positional: ['service'] },
  }),
  deploys: declareOperation({
    name: 'environment.deploys',
    summary: 'Show what was deployed, by whom, and how it went',
    input: z.strictObject({
      service: serviceName.optional(),
      most: z.number().int().min(1).max(200).default(20).describe('how many, newest first'),
    }),
    output: deployHistory,
    permission: 'view',
    limit: '120/min per caller',
    command: { words: 'deploy history', positional: ['service'] },
  }),
  lockDeploys: declareOperation({
    name: 'environment.lock-deploys',
    summary: 'Refuse deploys until they are unlocked',
    input: z.strictObject({
      service: serviceOrAll.describe('which service; * for all'),
      because: z.string().min(3).max(500).describe('why, for whoever is refused'),
    }),
    output: z.strictObject({ says: z.string() }),
    permission: 'operate',
    danger: 'changes',
    limit: '60/min per caller',
    command: { words: 'deploy lock', positional: ['service'] },
  }),
  unlockDeploys: declareOperation({
    name: 'environment.unlock-deploys',
    summary: 'Allow deploys again',
    input: z.strictObject({ service: serviceOrAll.describe('which lock; * for the one on all') }),
    output: z.strictObject({ says: z.string() }),
    permission: 'operate',
    danger: 'changes',
    limit: '60/min per caller',
    command: { words: 'deploy unlock', positional: ['service'] },
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
