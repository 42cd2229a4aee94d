import type { EnvironmentStatus, Job, Operations } from '../../../src/contracts/index.ts'
import { seededRandom, uuidv7, type Clock, type Random } from '../../../src/kernel/std/index.ts'
import { createChanges, deployUnderWay, groupsOfWeb, type Changes } from './changes.ts'

/** A fact as it leaves the house. */
export type Fact = Operations['timeline.read']['output']['facts'][number]
/** What a fact of the fake world is made of; the rest is filled in. */
export type FactParts = Pick<Fact, 'kind' | 'says'> & Partial<Fact>
type Service = EnvironmentStatus['services'][number]
type Ban = Operations['limits.bans']['output']['bans'][number]
type Token = Operations['access.list-tokens']['output']['tokens'][number]

/** An environment that lives in memory: believable, changing, and the same for the same seed. */
export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly startedAt: number
  readonly facts: Fact[]
  readonly jobs: Job[]
  readonly tokens: Token[]
  readonly bans: Ban[]
  readonly restarted: Map<string, number>
  readonly extraServices: number
  /** The service web runs in two groups. */
  readonly isRollingOut: boolean
  readonly changes: Changes
  addFact(parts: FactParts): Fact
  /** Called with each new fact, until the returned function is called. */
  onFact(listener: (fact: Fact) => void): () => void
  services(): readonly Service[]
}

const hoursMs = 3_600_000

const history: readonly (FactParts & { readonly agoMs: number })[] = [
  {
    agoMs: 26 * hoursMs,
    kind: 'environment.started',
    severity: 'notice',
    subject: 'environment:arcade',
    says: 'environment arcade was started with Holdfast 0.1.0',
    data: { name: 'arcade', version: '0.1.0', services: ['web', 'mailer'] },
  },
  {
    agoMs: 26 * hoursMs - 900,
    kind: 'environment.replica-started',
    subject: 'replica:web/1',
    says: 'web/1 was started with pid 4120',
  },
  {
    agoMs: 26 * hoursMs - 1100,
    kind: 'environment.replica-started',
    subject: 'replica:web/2',
    says: 'web/2 was started with pid 4127',
  },
  {
    agoMs: 26 * hoursMs - 1400,
    kind: 'environment.replica-started',
    subject: 'replica:mailer/1',
    says: 'mailer/1 was started with pid 4131',
  },
  {
    agoMs: 26 * hoursMs - 2600,
    kind: 'environment.service-healthy',
    severity: 'notice',
    subject: 'service:web',
    says: 'web is healthy, 2 of 2',
    data: { service: 'web', healthy: 2, wanted: 2 },
  },
  {
    agoMs: 22 * hoursMs,
    kind: 'access.token-created',
    severity: 'notice',
    subject: 'token:ci',
    actor: 'person:ada',
    says: 'token ci was created with the role operate',
  },
  {
    agoMs: 9 * hoursMs,
    kind: 'environment.configuration-accepted',
    severity: 'notice',
    actor: 'person:ada',
    says: 'a changed environment file was accepted: 1 route added, 2 limits changed',
    data: { hash: '9f31c2', summary: '1 route added, 2 limits changed' },
  },
  {
    agoMs: 9 * hoursMs - 400,
    kind: 'edge.policy-accepted',
    says: 'the edge took on policy 7ac01e (routes: 9, limits: 12)',
  },
  {
    agoMs: 5.2 * hoursMs,
    kind: 'environment.replica-crashed',
    severity: 'warning',
    subject: 'replica:mailer/1',
    says: 'mailer/1 ended unexpectedly (exit code 1) and is started again in 1000 ms',
    data: {
      replica: 'mailer/1',
      service: 'mailer',
      code: 1,
      signal: null,
      restartInMs: 1000,
      lastLines: ['smtp: connection refused (127.0.0.1:2525)', 'Error: cannot reach the mail server'],
    },
  },
  {
    agoMs: 5.2 * hoursMs - 1300,
    kind: 'environment.replica-started',
    subject: 'replica:mailer/1',
    says: 'mailer/1 was started with pid 9982',
  },
  {
    agoMs: 3 * hoursMs,
    kind: 'access.session-started',
    severity: 'notice',
    actor: 'person:ada',
    says: 'person:ada signed in to the console',
  },
  {
    agoMs: 41 * 60_000,
    kind: 'environment.service-unhealthy',
    severity: 'warning',
    subject: 'service:web',
    says: 'web is not healthy: 1 of 2 replicas (web/2: GET /healthz answered 500)',
    data: { service: 'web', healthy: 1, wanted: 2, detail: 'web/2: GET /healthz answered 500' },
  },
  {
    agoMs: 40 * 60_000,
    kind: 'edge.origin-failed',
    severity: 'warning',
    subject: 'service:web',
    says: 'requests for web fail at the edge: 14 answers of 502, 503 or 504 in a second',
  },
  {
    agoMs: 39.4 * 60_000,
    kind: 'edge.origin-recovered',
    subject: 'service:web',
    says: 'web answers again, after 61 failed requests in 9 s',
  },
  {
    agoMs: 39 * 60_000,
    kind: 'environment.service-healthy',
    severity: 'notice',
    subject: 'service:web',
    says: 'web is healthy, 2 of 2',
    data: { service: 'web', healthy: 2, wanted: 2 },
  },
  {
    agoMs: 12 * 60_000,
    kind: 'edge.limit-bit',
    severity: 'notice',
    subject: 'limit:edge.route.POST /login',
    says: 'the limit edge.route.POST /login (5/min per ip) began to refuse',
    data: { limit: 'edge.route.POST /login', rule: '5/min per ip', refused: 48 },
  },
  {
    agoMs: 4 * 60_000,
    kind: 'edge.limit-bit',
    severity: 'notice',
    subject: 'limit:edge.route.POST /chat',
    says: 'the limit edge.route.POST /chat (5/10s per ip) began to refuse',
    data: { limit: 'edge.route.POST /chat', rule: '5/10s per ip', refused: 7 },
  },
  {
    agoMs: 70_000,
    kind: 'operations.called',
    actor: 'token:ci',
    says: 'token:ci called environment.reload: done',
    data: { operation: 'environment.reload', actor: 'token:ci', outcome: 'done', input: {} },
  },
]

function digest(random: Random): string {
  return Array.from(random.bytes(32), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

type ReplicaView = Service['replicas'][number]

const extraName = (index: number): string =>
  index % 17 === 3 ? `a-service-with-quite-a-long-name-${index}` : `worker-${index}`

function replicaOf(world: Omit<World, 'services'>, id: string, slot: number): ReplicaView {
  const now = world.clock.now()
  const startedAt = world.restarted.get(id) ?? world.startedAt - 5 * hoursMs - slot * 1000
  const wave = Math.sin(now / 9000 + slot * 2)
  return {
    id,
    state: 'running',
    release: world.changes.releases.find(({ service }) => id.startsWith(`${service}/`))?.running ?? '',
    group: groupsOfWeb[0],
    healthy: now - startedAt > 400,
    detail: now - startedAt > 400 ? '' : 'starting',
    pid: 4100 + slot * 7,
    address: `127.0.0.1:${41_000 + slot}`,
    startedAt,
    restarts: id === 'mailer/1' ? 1 : 0,
    cpu: 0.24 + 0.11 * wave,
    memoryBytes: Math.round((118 + slot * 21 + 6 * wave) * 2 ** 20),
  }
}

function serviceOf(world: Omit<World, 'services'>, name: string, replicas: number): Service {
  const views = Array.from({ length: replicas }, (_, index) =>
    replicaOf(world, `${name}/${index + 1}`, index + 1),
  )
  const healthy = views.filter((view) => view.healthy).length
  return {
    name,
    state: healthy === replicas ? 'healthy' : healthy === 0 ? 'starting' : 'degraded',
    says: `${name} is ${healthy === replicas ? 'healthy' : 'not healthy'}: ${healthy} of ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`,
    wanted: replicas,
    healthy,
    command: ['node', `${name}.ts`],
    phase: 'steady',
    release: '',
    rollout: '',
    replicas: views,
  }
}

/** The service web while one replica of a new release is judged beside the old ones. */
function rollingWeb(world: Omit<World, 'services'>): Service {
  const old = serviceOf(world, 'web', 2)
  const rollout = 'web: 1 new beside the old, being judged'
  const fresh = {
    ...replicaOf(world, 'web/3', 3),
    group: groupsOfWeb[1],
    release: '1.5.0',
    startedAt: world.startedAt - 8000,
  }
  return {
    ...old,
    phase: 'judging',
    says: `web is healthy; ${rollout}`,
    rollout,
    judging: {
      fresh: { requests: 188, failures: 4, p95Ms: 88.2 },
      old: { requests: 1641, failures: 3, p95Ms: 31.4 },
      sinceMs: 6200,
      forMs: 10_000,
      errorMargin: 0.02,
      p95Factor: 1.5,
    },
    replicas: [...old.replicas.map((replica) => ({ ...replica, release: '1.4.2' })), fresh],
  }
}

/** The job of the deploy that is under way. */
function judgingJob(now: number): Job {
  return {
    id: deployUnderWay,
    operation: 'environment.deploy',
    actor: 'person:ada',
    state: 'running',
    requestedAt: now - 12_000,
    endedAt: null,
    share: 0.5,
    says: 'web: 1 new beside the old, being judged',
    attempts: 1,
    result: null,
    error: null,
  }
}

function external(): Service {
  const replica: ReplicaView = {
    id: 'payments',
    state: 'external',
    release: '',
    group: '',
    healthy: true,
    detail: '',
    pid: null,
    address: 'http://127.0.0.1:9100',
    startedAt: null,
    restarts: 0,
    cpu: null,
    memoryBytes: null,
  }
  return {
    name: 'payments',
    state: 'healthy',
    says: 'payments answers at its address; somebody else runs it',
    wanted: 1,
    healthy: 1,
    command: null,
    phase: 'steady',
    release: '',
    rollout: '',
    replicas: [replica],
  }
}

/** Creates a world. `extraServices` adds that many more, to see how a page bears them. */
export function createWorld(parts: {
  readonly clock: Clock
  readonly extraServices?: number
  readonly isRollingOut?: boolean
}): World {
  const { clock } = parts
  const random = seededRandom(7)
  const listeners = new Set<(fact: Fact) => void>()
  const facts: Fact[] = []
  const startedAt = clock.now()
  const addFact = (added: FactParts): Fact => {
    const fact: Fact = {
      sequence: facts.length + 1,
      id: uuidv7(clock, random),
      at: clock.now(),
      severity: 'info',
      subject: null,
      actor: 'holdfast',
      correlation: null,
      data: {},
      hash: digest(random),
      ...added,
    }
    facts.push(fact)
    for (const listener of listeners) listener(fact)
    return fact
  }
  for (const { agoMs, ...fact } of history) addFact({ ...fact, at: Math.floor(startedAt - agoMs) })
  const world = {
    clock,
    random,
    startedAt,
    facts,
    jobs: parts.isRollingOut === true ? [judgingJob(startedAt)] : [],
    changes: createChanges(startedAt, {
      isRollingOut: parts.isRollingOut ?? false,
      others: Array.from({ length: parts.extraServices ?? 0 }, (_, index) => extraName(index)),
    }),
    bans: [],
    tokens: [
      {
        name: 'ci',
        role: 'operate' as const,
        createdAt: startedAt - 22 * hoursMs,
        expiresAt: startedAt + 2000 * hoursMs,
      },
    ],
    restarted: new Map<string, number>(),
    extraServices: parts.extraServices ?? 0,
    isRollingOut: parts.isRollingOut ?? false,
    addFact,
    onFact: (listener: (fact: Fact) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const services = (): readonly Service[] => [
    world.isRollingOut ? rollingWeb(world) : serviceOf(world, 'web', 2),
    serviceOf(world, 'mailer', 1),
    external(),
    ...Array.from({ length: world.extraServices }, (_, index) => serviceOf(world, extraName(index), 1)),
  ]
  return { ...world, services }
}
