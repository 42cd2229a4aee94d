import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { moment, serviceName } from '../shapes.ts'

const deploy = {
  service: serviceName,
  release: z.string(),
  before: z.string().describe('what ran before; "no release" for the files as they lay in its directory'),
  job: z.string(),
}

const image = z
  .string()
  .nullable()
  .default(null)
  .describe('what it runs from, the same for ever; null: it is files')

/** Facts about releases and deploys. */
export const deployFacts = {
  deployBegun: declareFact({
    kind: 'environment.deploy-begun',
    says: '{service} is being moved from {before} to {release}{note}',
    severity: 'notice',
    data: z.strictObject({
      ...deploy,
      source: z.string().describe('where it came from, in words'),
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
    says: '{release} of {service} was stored, from {source}',
    data: z.strictObject({
      service: serviceName,
      release: z.string(),
      source: z.string(),
      digest: z.string().describe('SHA-256 over names, modes and contents, or that of the image; hex'),
      files: z.number().int(),
      sizeBytes: z.number(),
      image,
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
} as const

/** Version of a service's files, or of its image: what one would give a tag. */
export const releaseName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
    'letters, digits, dots, dashes, plus and underscores, up to 64',
  )

/** What is kept beside the files of a release. */
export const releaseRecord = z.strictObject({
  release: releaseName,
  at: moment,
  source: z.string(),
  digest: z.string(),
  files: z.number().int(),
  sizeBytes: z.number(),
  image,
})

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

const keptRelease = releaseRecord.omit({ digest: true }).extend({
  good: z.boolean().describe('it was deployed and not given up: one can go back to it'),
  goesNext: z.boolean().describe('it is removed with the next deploy'),
})

/** What was deployed, what one can go back to, and what is locked. */
export const deployHistory = z.strictObject({
  says: z.string(),
  deploys: z.array(deployView),
  releases: z.array(
    z.strictObject({
      service: serviceName,
      running: z.string().describe('empty: the files as they lie in its directory'),
      image: z.string().nullable().describe('what the running release runs from; null: it is files'),
      kept: z.array(keptRelease).describe('releases whose files are there, newest first'),
      most: z.number().int().describe('so many are kept, the running one included'),
      back: z
        .string()
        .nullable()
        .describe('the one that "deploy rollback" goes back to by itself; null: none was good before'),
    }),
  ),
  locks: z.array(z.strictObject({ service: z.string(), because: z.string(), by: z.string(), since: moment })),
})

/** What was deployed, what one can go back to, and what is locked. */
export type DeployHistory = z.infer<typeof deployHistory>

const serviceOrAll = z.union([serviceName, z.literal('*')]).default('*')

/** Operations on releases and deploys. */
export const deployOperations = {
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
          'a directory, a .tar, .tar.gz or .tgz file, git:<ref> of the repository in which the service lies, or image:<name> on Docker Swarm; default: its directory as it is',
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
} as const
