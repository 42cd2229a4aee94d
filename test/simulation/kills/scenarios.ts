import { environmentOperations } from '../../../src/contracts/environment.ts'
import type { Job } from '../../../src/contracts/index.ts'
import type { EnvironmentInput } from '../../../src/server/composition/config.ts'
import { call, perform, performThenCancel, write, type Stage } from './stage.ts'

/** Who may be killed. */
export type Victim = 'control' | 'edge' | 'supervisor'

/** One undertaking, from the world in which it begins to what must have come of it. */
export interface Scenario {
  readonly file: EnvironmentInput
  /** What was done before, that nothing is killed in. */
  readonly before: (stage: Stage) => Promise<void>
  /** Who is killed; default: control. */
  readonly victim?: Victim
  /** What happens besides. */
  readonly meanwhile?: (stage: Stage) => void
  /** How many replicas of each service serve at any time. */
  readonly promise: Readonly<Record<string, number>>
  readonly undertake: (stage: Stage) => Promise<Job>
  /** Ends that are known: `done`, or a code; more than one where a kill may leave something that nobody can know. */
  readonly ends: readonly string[]
  /** What runs then: service, release, how many; by whether it came about. */
  readonly runs: (cameAbout: boolean) => Readonly<Record<string, number>>
  /** Beside services: what lies on the disk. */
  readonly volumes: readonly string[]
  readonly databases: readonly string[]
}

const route = (to: string) => ({ to, limit: '1000/s' })
const deployed = { canary: { for: '1s' }, drain: '300ms', surge: 1 }

const shop: EnvironmentInput = {
  name: 'shop',
  services: {
    web: {
      command: ['web'],
      replicas: 2,
      health: '/healthz',
      startTimeout: '5s',
      deploy: { ...deployed, before: ['migrate'], after: ['warm'], keep: 2 },
    },
    api: { command: ['api'], startTimeout: '5s' },
  },
  jobs: {
    migrate: { service: 'web', command: ['migrate'] },
    warm: { service: 'web', command: ['warm'] },
  },
  edge: { routes: { '/*': route('web'), '/api/*': route('api') } },
}

const deploy = (version: string) => (stage: Stage) =>
  perform(stage, environmentOperations.deploy, { service: 'web', version, note: '' })

async function twoReleases(stage: Stage): Promise<void> {
  for (const version of ['1.0', '1.1']) await deploy(version)(stage)
}

const common = { file: shop, before: twoReleases, promise: { web: 2, api: 1 }, volumes: [], databases: [] }

/** A job ran or did not, and nobody can know: it is rather not run than run twice. */
const unknowable = 'environment.run-failed'

/** A deploy with a canary and a job before and after it. */
export const aDeploy: Scenario = {
  ...common,
  undertake: deploy('1.2'),
  ends: ['done', unknowable],
  runs: (cameAbout) => ({ [cameAbout ? 'web 1.2' : 'web 1.1']: 2, 'api ': 1 }),
}

/** A deploy on an engine that forgets what ran once as soon as control dies. */
export const aForgottenDeploy: Scenario = {
  ...aDeploy,
  meanwhile: ({ world: { engine } }) => {
    for (const [id, { spec }] of engine.replicas) if (!spec.restarts) engine.replicas.delete(id)
  },
}

/** A deploy whose control dies until it is given up. */
export const aDeployGivenUp: Scenario = { ...aDeploy, ends: [...aDeploy.ends, 'jobs.gave-up'] }

/** A deploy that somebody cancels when control has died over it. */
export const aCancelledDeploy: Scenario = {
  ...aDeploy,
  undertake: (stage) =>
    performThenCancel(stage, environmentOperations.deploy, { service: 'web', version: '1.2', note: '' }),
  ends: [...aDeploy.ends, 'cancelled'],
}

/** A deploy of what does not get well. */
export const aRefusedDeploy: Scenario = {
  ...common,
  undertake: deploy('bad'),
  ends: ['environment.deploy-failed', unknowable],
  runs: () => ({ 'web 1.1': 2, 'api ': 1 }),
}

/** A deploy whose migration fails. */
export const aStoppedDeploy: Scenario = {
  ...common,
  undertake: deploy('bad-migration'),
  ends: [unknowable],
  runs: () => ({ 'web 1.1': 2, 'api ': 1 }),
}

/** Back to the release before. */
export const aRollback: Scenario = {
  ...common,
  undertake: (stage) => perform(stage, environmentOperations.rollback, { service: 'web', note: '' }),
  ends: ['done'],
  runs: () => ({ 'web 1.0': 2, 'api ': 1 }),
}

const before: EnvironmentInput = {
  ...shop,
  services: { ...shop.services, old: { command: ['old'], startTimeout: '5s', volumes: ['scratch'] } },
  volumes: { scratch: {} },
  databases: { past: { engine: 'postgres' } },
}

const after: EnvironmentInput = {
  name: 'shop',
  services: {
    ...shop.services,
    web: { ...shop.services?.['web'], command: ['web'], replicas: 3 },
    api: { command: ['api'], startTimeout: '5s', env: { LEVEL: '2' }, deploy: deployed },
    fresh: {
      command: ['fresh'],
      startTimeout: '5s',
      volumes: ['uploads'],
      needs: ['web'],
      env: { DATABASE_URL: { database: 'main' } },
    },
  },
  volumes: { uploads: {} },
  databases: { main: { engine: 'postgres' } },
  jobs: {
    migrate: { service: 'web', command: ['migrate'] },
    warm: { service: 'web', command: ['warm', 'up'] },
  },
  edge: { routes: { '/*': route('web'), '/api/*': route('api'), '/fresh/*': route('fresh') } },
}

/** An apply that adds, changes, scales and removes, and destroys a volume and a database. */
export const anApply: Scenario = {
  file: before,
  before: async (stage) => {
    await deploy('1.0')(stage)
    write(stage, after)
  },
  promise: { web: 2, api: 1 },
  undertake: async (stage) => {
    const { hash, destroys } = await call(stage, environmentOperations.plan, {})
    return perform(stage, environmentOperations.apply, { plan: hash, destroy: destroys })
  },
  ends: ['done'],
  runs: () => ({ 'web 1.0': 3, 'api ': 1, 'fresh ': 1, 'main ': 1 }),
  volumes: ['uploads'],
  databases: ['main'],
}

const worse: EnvironmentInput = {
  ...shop,
  services: {
    ...shop.services,
    api: { command: ['crashing'], startTimeout: '5s', deploy: deployed },
  },
}

/** An apply of which one service is no good. */
export const aFailedApply: Scenario = {
  ...common,
  before: async (stage) => {
    await deploy('1.0')(stage)
    write(stage, worse)
  },
  undertake: anApply.undertake,
  ends: ['environment.apply-failed'],
  runs: () => ({ 'web 1.0': 2, 'api ': 1 }),
}
