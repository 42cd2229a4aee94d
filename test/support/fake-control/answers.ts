import { operationCatalogue, type Job, type Operations } from '../../../src/contracts/index.ts'
import { randomToken } from '../../../src/kernel/std/index.ts'
import { environmentAnswers } from './environment.ts'
import { limitAnswers } from './limits.ts'
import { limitViews, measuredGroups, routeViews, seriesOf, trafficView } from './traffic.ts'
import { Refusal } from './refusal.ts'
import type { Fact, World } from './world.ts'

const people: Operations['people.list']['output']['people'] = [
  {
    person: 'ada',
    role: 'administer',
    name: null,
    deeply: ['Postgres', 'the game loop'],
    broadly: ['TLS'],
    reach: { email: 'ada@arcade.example', chat: '@ada' },
    hours: 'Mo-Fr 9-17 Europe/Vienna',
  },
  { person: 'support', role: 'view', name: null, deeply: [], broadly: [], reach: {}, hours: null },
]

/** Code that answers one operation with a value. */
export type Answerer = (input: never, world: World) => unknown

const rank = ['info', 'notice', 'warning', 'critical']

/** Whether a fact passes the filters of `timeline.read` and `timeline.follow`. */
export function passes(fact: Fact, input: Operations['timeline.read']['input']): boolean {
  const { kind, subject, severity, correlation, since, before } = input
  const wanted: readonly boolean[] = [
    isOfKind(fact.kind, kind),
    subject === undefined || fact.subject === subject,
    rank.indexOf(fact.severity) >= rank.indexOf(severity ?? 'info'),
    correlation === undefined || fact.correlation === correlation,
    fact.at >= (since ?? 0),
    fact.sequence < (before ?? Infinity),
  ]
  return wanted.every(Boolean)
}

const isOfKind = (kind: string, wanted: string | undefined): boolean =>
  wanted === undefined || (wanted.endsWith('.*') ? kind.startsWith(wanted.slice(0, -1)) : kind === wanted)

function listOperations(): Operations['operations.list']['output'] {
  return {
    operations: operationCatalogue.map((operation) => ({
      name: operation.name,
      summary: operation.summary,
      answers: operation.answers,
      danger: operation.danger,
      permission: operation.permission,
      permitted: true,
      limit: operation.limit,
      form: operation.form,
      role: operation.permission === 'public' ? null : operation.permission,
      inputSchema: operation.input.toJSONSchema({ io: 'input' }) as unknown as Record<string, never>,
    })),
  }
}

function createToken(input: Operations['access.create-token']['input'], world: World): unknown {
  const { name, role = 'view', days } = input
  const createdAt = Math.floor(world.clock.now())
  world.tokens.push({
    name,
    role,
    createdAt,
    expiresAt: days === undefined ? null : createdAt + days * 86_400_000,
  })
  world.addFact({
    kind: 'access.token-created',
    severity: 'notice',
    says: `token ${name} was created with the role ${role}`,
  })
  return { name, token: `hf_${randomToken(world.random)}` }
}

function revokeToken({ name }: Operations['access.revoke-token']['input'], world: World): unknown {
  const at = world.tokens.findIndex((token) => token.name === name)
  if (at >= 0) world.tokens.splice(at, 1)
  world.addFact({ kind: 'access.token-revoked', severity: 'notice', says: `token ${name} was revoked` })
  return { revoked: at >= 0 }
}

function jobOf({ job }: Operations['jobs.get']['input'], world: World): Job {
  const found = world.jobs.find(({ id }) => id === job)
  if (found === undefined)
    throw new Refusal({ status: 404, code: 'jobs.unknown', message: 'there is no such job' })
  return found
}

function status(world: World): Operations['environment.status']['output'] {
  const services = world.services()
  const worst = services.every(({ state }) => state === 'healthy') ? 'healthy' : 'degraded'
  const running = {
    state: 'running' as const,
    startedAt: world.startedAt,
    restarts: 0,
    cpu: 0.03,
    memoryBytes: 9e7,
  }
  return {
    name: 'arcade',
    version: '0.1.0',
    says: 'as it should be',
    state: worst,
    startedAt: world.startedAt,
    services: [...services],
    processes: [
      { name: 'control', pid: 4001, ...running },
      { name: 'edge', pid: 4002, ...running },
    ],
    notes: ['cgroups are not writable: no limits of CPU and memory'],
  }
}

/** Everything that answers with a value. */
export const answerers: Readonly<Record<string, Answerer>> = {
  'environment.status': (_: never, world) => status(world),
  'environment.reload': (_: never, world) => {
    world.addFact({
      kind: 'operations.called',
      actor: 'person:ada',
      says: 'person:ada called environment.reload: done',
    })
    return { changed: false, says: 'nothing has changed' }
  },
  'edge.traffic': (_: never, { clock, isRollingOut }) => ({
    ...trafficView(clock.now()),
    ...(isRollingOut ? { groups: measuredGroups } : {}),
  }),
  'edge.routes': (_: never, { clock }) => ({ says: '', routes: routeViews(clock.now()) }),
  'edge.limits': (_: never, { clock }) => ({
    says: '',
    limits: limitViews(clock.now()).map(({ door: _door, fast: _fast, ...view }) => view),
  }),
  'limits.list': (_: never, { clock }) => ({ says: '', limits: limitViews(clock.now()) }),
  ...limitAnswers,
  ...environmentAnswers,
  'series.query': (input: Operations['series.query']['input'], { clock }) => seriesOf(input, clock.now()),
  'timeline.read': (input: Operations['timeline.read']['input'], { facts }) => ({
    facts: facts.filter((fact) => passes(fact, input)).slice(-(input.limit ?? 50)),
  }),
  'jobs.list': (_: never, { jobs }) => ({ jobs: jobs.toReversed() }),
  'jobs.get': jobOf,
  'jobs.cancel': jobOf,
  'access.whoami': () => ({ actor: 'person:ada', role: 'administer' }),
  'people.list': () => ({ people }),
  'access.list-tokens': (_: never, { tokens }) => ({ tokens }),
  'access.create-token': createToken,
  'access.revoke-token': revokeToken,
  'operations.list': listOperations,
}
