import type {
  DatabaseList,
  DeployHistory,
  Drift,
  EnvironmentPlan,
  RunHistory,
  VolumeList,
} from '../../../src/contracts/index.ts'
import { Refusal } from './refusal.ts'
import type { World } from './world.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const nothing = { before: null, after: null }
const unbounded = { memoryMiB: nothing, destroys: false }

/** A plan with a step of each verb. */
const steps: EnvironmentPlan['steps'] = [
  {
    object: 'volume uploads',
    verb: 'create',
    says: 'volume uploads is new',
    differences: [{ path: '', before: null, after: '{"exclusive":false}' }],
    replicas: nothing,
    ...unbounded,
  },
  {
    object: 'service web',
    verb: 'replace',
    says: 'its 2 replicas are replaced, up to 1 more running meanwhile, without a request lost',
    differences: [
      { path: 'env.CACHE', before: '(hidden)', after: '(hidden)' },
      { path: 'resources.memoryMiB', before: '256', after: '384' },
      { path: 'volumes', before: '[]', after: '["uploads"]' },
    ],
    replicas: { before: 2, after: 2 },
    memoryMiB: { before: 512, after: 768 },
    destroys: false,
  },
  {
    object: 'service mailer',
    verb: 'scale',
    says: 'from 1 to 3 replicas',
    differences: [{ path: 'replicas', before: '{"max":1,"min":1}', after: '{"max":3,"min":3}' }],
    replicas: { before: 1, after: 3 },
    ...unbounded,
  },
  {
    object: 'route POST /login',
    verb: 'change',
    says: 'route POST /login is changed',
    differences: [{ path: 'limit', before: '5/min per ip', after: '["5/min per ip","50/hour per ip"]' }],
    replicas: nothing,
    ...unbounded,
  },
  {
    object: 'volume exports',
    verb: 'remove',
    says: 'volume exports goes',
    differences: [{ path: '', before: '{"exclusive":true}', after: null }],
    replicas: nothing,
    memoryMiB: nothing,
    destroys: true,
  },
]

function plan({ changes }: World): EnvironmentPlan {
  const machine = 7954
  if (changes.trouble !== '') {
    throw new Refusal({ status: 422, code: 'configuration.invalid', message: changes.trouble })
  }
  if (changes.isApplied) {
    return {
      hash: '77aa01fe33c2d910',
      says: 'Nothing would change: what runs is what the file says',
      steps: [],
      replicas: { before: 5, after: 5, difference: 0, unbounded: 2 },
      memoryMiB: { before: 768, after: 768, difference: 0, machine, left: machine - 768 },
      destroys: [],
      notes: [],
    }
  }
  return {
    hash: '9f31c25be07d4a18',
    says: '5 things would change: 1 to create, 1 to replace, 1 to scale, 1 to change, 1 to remove',
    steps,
    replicas: { before: 3, after: 5, difference: 2, unbounded: 2 },
    memoryMiB: { before: 512, after: 768, difference: 256, machine, left: machine - 768 },
    destroys: ['volume exports'],
    notes: [],
  }
}

function drift({ changes, startedAt }: World): Drift {
  if (changes.isApplied) {
    const says = 'Nothing has drifted: what runs is what was applied, and the file says the same'
    return { says, items: [], notes: [] }
  }
  return {
    says: '2 things differ from what was applied',
    items: [
      {
        object: 'service mailer',
        says: 'mailer goes on as it was: it crashed (exit code 1)',
        since: startedAt - 42 * minuteMs,
      },
      {
        object: 'route POST /login',
        says: 'the file has changed and was not applied: route POST /login is changed',
        since: startedAt - 3 * minuteMs,
      },
    ],
    notes: [],
  }
}

function history({ changes }: World, service: string | undefined): DeployHistory {
  const deploys = changes.deploys.filter((deploy) => (service ?? deploy.service) === deploy.service)
  const [last] = deploys
  const words = { 'under way': 'is on its way', deployed: 'was deployed', 'rolled back': 'was given up' }
  const says =
    last === undefined
      ? 'Nothing was deployed yet: "holdfast deploy <service> --version <version>"'
      : `The last deploy: ${last.release} of ${last.service} ${words[last.outcome]}`
  const releases = changes.releases.filter((each) => (service ?? each.service) === each.service)
  return { says, deploys, releases, locks: changes.locks }
}

function runs({ changes, clock }: World): RunHistory {
  const now = clock.now()
  const [last] = changes.runs
  return {
    says: last === undefined ? 'No job has run yet' : `The last run: ${last.job} ended well`,
    jobs: ['migrate', 'tidy'],
    schedules: [
      {
        schedule: 'nightly',
        job: 'tidy',
        at: '0 4 * * *',
        zone: 'Europe/Vienna',
        next: now - (now % (24 * hourMs)) + 27 * hourMs,
      },
    ],
    runs: changes.runs,
  }
}

function databases({ startedAt }: World): DatabaseList {
  const main: DatabaseList['databases'][number] = {
    name: 'main',
    engine: 'postgres',
    managed: true,
    version: '15.18',
    state: 'healthy',
    says: 'main is healthy',
    address: '127.0.0.1:12345',
    url: 'postgres://main:***@127.0.0.1:12345/arcade',
    names: ['arcade', 'scores'],
    usedBy: [
      { object: 'service web', variable: 'DATABASE_URL', name: null },
      { object: 'service web', variable: 'SCORES_URL', name: 'scores' },
      { object: 'job migrate', variable: 'DATABASE_URL', name: null },
    ],
    missing: [],
    createdAt: startedAt - 26 * hourMs,
    sizeBytes: 41_203_311,
  }
  const cache: DatabaseList['databases'][number] = {
    ...main,
    name: 'cache',
    engine: 'redis',
    version: '7.0.15',
    address: '127.0.0.1:13007',
    url: 'redis://default:***@127.0.0.1:13007/0',
    names: [],
    usedBy: [{ object: 'service web', variable: 'CACHE', name: null }],
    sizeBytes: 902_113,
  }
  const billing: DatabaseList['databases'][number] = {
    ...main,
    name: 'billing',
    engine: 'mariadb',
    managed: false,
    version: null,
    address: 'mysql://db.internal:3306/billing',
    url: 'mysql://arcade:***@db.internal:3306/billing',
    names: [],
    usedBy: [],
    missing: [],
    createdAt: null,
    sizeBytes: null,
  }
  return { says: 'All 3 databases are well', databases: [main, cache, billing] }
}

function volumes({ changes, startedAt }: World): VolumeList {
  const here = '/srv/arcade/.holdfast/volumes'
  const volume = (name: string, more: Partial<VolumeList['volumes'][number]>) => ({
    name,
    place: `${here}/${name}`,
    named: true,
    exclusive: false,
    usedBy: ['web'],
    sizeBytes: 18_220_031,
    since: startedAt - 26 * hourMs,
    ...more,
  })
  const exports = volume('exports', { exclusive: true, usedBy: ['mailer'], sizeBytes: null })
  const uploads = volume('uploads', {})
  const old = volume('old-scores', { named: false, exclusive: null, usedBy: [], sizeBytes: 3_000_001 })
  return {
    says: 'The file names 1 volume; left over: old-scores, 2.9 MiB in all, as far as is known',
    volumes: [changes.isApplied ? uploads : exports, old],
  }
}

/** What the operations on deploys, plans, runs and data answer. */
export const environmentAnswers: Readonly<Record<string, (input: never, world: World) => unknown>> = {
  'environment.deploys': ({ service }: { service?: string }, world) => history(world, service),
  'environment.plan': (_: never, world) => plan(world),
  'environment.drift': (_: never, world) => drift(world),
  'environment.databases': (_: never, world) => databases(world),
  'environment.volumes': (_: never, world) => volumes(world),
  'environment.runs': (_: never, world) => runs(world),
  'environment.lock-deploys': (
    { service = '*', because }: { service?: string; because: string },
    { changes, clock },
  ) => {
    changes.locks.push({ service, because, by: 'person:ada', since: clock.now() })
    return { says: `deploys are locked: ${because}` }
  },
  'environment.unlock-deploys': ({ service = '*' }: { service?: string }, { changes }) => {
    const at = changes.locks.findIndex((lock) => lock.service === service)
    if (at >= 0) changes.locks.splice(at, 1)
    return { says: 'deploys may be done again' }
  },
}
