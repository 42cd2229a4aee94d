import { describe, expect, test } from 'vitest'
import type { Drift, EnvironmentStatus } from '../../../contracts/environment.ts'
import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import type { Json, JsonObject } from '../../../kernel/std/index.ts'
import { parseEnvironment } from '../../composition/load.ts'
import { findDrift, type DriftScene } from './find-drift.ts'
import type { DatabaseScene } from './of-databases.ts'
import { wantedPolicy } from './of-edge.ts'

const data = {
  name: 'arcade',
  services: { web: { command: ['node', 'web.ts'] } },
  volumes: { uploads: {} },
  databases: { main: { engine: 'postgres' }, outside: { engine: 'redis', url: 'redis://h' } },
  edge: {
    routes: { 'POST /login': { to: 'web', limit: '5/min per ip' }, '/*': { to: 'web', limit: '9/s' } },
  },
}
const accepted = {
  file: '/srv/holdfast.config.ts',
  directory: '/srv',
  hash: 'h',
  overrides: {},
  data,
  environment: parseEnvironment(data),
}
const wanted = wantedPolicy(accepted) as JsonObject
const nothing = { modifiedAt: 1, entries: {} }

function serviceOf(name: string, change: Partial<EnvironmentStatus['services'][number]> = {}) {
  const steady = { state: 'healthy', says: `${name} is well`, phase: 'steady', rollout: '' } as const
  const counts = { wanted: 1, healthy: 1, command: ['x'], replicas: [], release: '' }
  return { name, ...steady, ...counts, ...change }
}

function statusOf(...services: EnvironmentStatus['services']): EnvironmentStatus {
  const whole = { name: 'arcade', version: '1', says: '', state: 'healthy', startedAt: 1 } as const
  return { ...whole, services, processes: [], notes: [] }
}

function driftIn(change: Partial<DriftScene> = {}): Drift {
  const rooms = { releases: nothing, volumes: { modifiedAt: 1, entries: { uploads: 1 } }, databases: nothing }
  return findDrift({
    accepted,
    status: statusOf(serviceOf('web')),
    plan: null,
    trouble: '',
    fileSince: null,
    since: {},
    edge: edgeWith(wanted, wanted),
    replicas: { value: [] },
    tampering: { value: { strays: [], frozen: [], limits: [] } },
    databases: [],
    releases: [],
    rooms: { value: rooms },
    goneSince: () => null,
    notes: [],
    ignore: ['environment file'],
    ...change,
  })
}

function edgeWith(
  enforced: Json,
  kept: Json,
  refused: DriftScene['edge']['refused'] = null,
): DriftScene['edge'] {
  const value = { enforced, kept: { modifiedAt: 7, policy: kept } } as never
  return { wanted, seen: { value }, refused, diedAt: null }
}

const objects = (change: Partial<DriftScene>): readonly string[] =>
  driftIn(change).items.map(({ object }) => object)

/** The policy with another rule for a limit. */
function withRule(name: string, rule: string): JsonObject {
  const limits = (wanted['limits'] as JsonObject[]).map((limit) =>
    limit['name'] === name ? { ...limit, rule } : limit,
  )
  return { ...wanted, limits }
}

describe('what has drifted', () => {
  test('is nothing when all is as it was applied', () => {
    const status = statusOf(serviceOf('web', { state: 'starting', phase: 'judging' }))
    expect(driftIn({ status, ignore: [] }).items.map(({ object }) => object)).toEqual(['environment file'])
    expect(driftIn().says).toContain('Nothing has drifted')
    expect(driftIn({ status }).items).toEqual([])
  })

  test('of services and databases is called by what they are', () => {
    const ill = { state: 'down', says: 'it is down' } as const
    const status = statusOf(serviceOf('web', ill), serviceOf('main', ill), serviceOf('outside', ill))
    const { items } = driftIn({ status, since: { main: 5 } })
    expect(items).toEqual([
      { object: 'service web', says: 'it is down', since: null },
      { object: 'database main', says: 'it is down', since: 5 },
      { object: 'database outside', says: 'it is down', since: null },
    ])
  })

  test('is passed over where it is to be, by patterns that mean what they say', () => {
    const status = statusOf(serviceOf('web', { state: 'down' }), serviceOf('wob', { state: 'down' }))
    const ignore = (...patterns: string[]) => objects({ status, ignore: ['environment file', ...patterns] })
    expect(ignore('service w*')).toEqual([])
    expect(ignore('service w.b', 'web', '(service web|service wob)')).toEqual(['service web', 'service wob'])
    expect(ignore('*web')).toEqual(['service wob'])
    expect(driftIn({ status }).says).toBe('2 things differ from what was applied (1 more passed over)')
  })
})

describe('drift of the edge', () => {
  test('does not count who answers and who is banned, nor numbers of limits', () => {
    const [limits, routes] = [wanted['limits'] as JsonObject[], wanted['routes'] as JsonObject[]]
    const last = limits.length - 1
    const turned = (indexes: Json | undefined): Json => (indexes as number[]).map((index) => last - index)
    const other = {
      ...wanted,
      bans: [{ subject: 'ip:1.2.3.4', until: 1, because: 'by hand' }],
      limits: limits.toReversed(),
      routes: routes.toReversed().map((route) => ({ ...route, limits: turned(route['limits']) })),
      ...Object.fromEntries(
        ['unmatchedLimits', 'upgradeLimits', 'errorLimits'].map((key) => [key, turned(wanted[key])]),
      ),
      upstreams: [{ name: 'web', targets: [{ id: 'web/1' }], healthPath: null, healthIntervalMs: 2000 }],
    }
    const { items } = driftIn({ edge: edgeWith(other, other) })
    expect(items.filter(({ object }) => object !== 'edge')).toEqual([])
  })

  test('names the route or the edge, by limit, and the file when that alone was changed', () => {
    const worse = withRule('edge.route.POST /login', '500/min per ip')
    expect(driftIn({ edge: edgeWith(worse, worse) }).items).toEqual([
      {
        object: 'route POST /login',
        says: 'the edge enforces another: limits is ["500/min per ip"], not ["5/min per ip"]',
        since: 7,
      },
    ])
    const file = driftIn({ edge: edgeWith(wanted, worse) }).items
    expect(file).toMatchObject([{ object: 'route POST /login', since: 7 }])
    expect(file[0]?.says).toContain('was changed by hand')
    expect(objects({ edge: edgeWith(withRule('edge.unmatched', '9/s'), wanted) })).toEqual(['edge', 'edge'])
    expect(objects({ edge: edgeWith({ ...wanted, routes: [] }, wanted) })).toContain('route /*')
    expect(objects({ edge: edgeWith(wanted, 'garbage') })).toContain('edge')
  })

  test('is there when it refuses, is away, or has nothing', () => {
    const refused = { at: 3, message: 'no such certificate' }
    const item = driftIn({ edge: edgeWith(wanted, wanted, refused) }).items[0]
    expect(item).toMatchObject({ object: 'edge', since: 3 })
    expect(item?.says).toContain('no such certificate')
    const away = { ...edgeWith(wanted, wanted), seen: { trouble: 'the edge: it is away' }, diedAt: 4 }
    expect(driftIn({ edge: away }).items).toEqual([
      { object: 'edge', says: 'the edge: it is away', since: 4 },
    ])
    expect(objects({ edge: edgeWith(null, null) })).toEqual(['edge'])
  })
})

describe('drift of what lies about', () => {
  test('is left over since the file was accepted that no longer names it', () => {
    const found = (...names: string[]) => ({
      modifiedAt: 2,
      entries: Object.fromEntries(names.map((name) => [name, 3])),
    })
    const rooms = {
      releases: found('web', 'old', '.new'),
      volumes: found('old'),
      databases: found('main', 'outside'),
    }
    const goneSince = (object: string) => (object === 'service old' ? 9 : null)
    const { items } = driftIn({ rooms: { value: rooms }, goneSince })
    expect(items.map(({ object, since }) => `${object} ${since}`)).toEqual([
      'volume uploads 2',
      'releases of old 9',
      'volume old 3',
      'database outside 3',
    ])
  })

  test('what could not be looked at is a note, once', () => {
    const drift = driftIn({
      rooms: { trouble: 'denied' },
      tampering: { trouble: 'away' },
      replicas: { trouble: 'away' },
    })
    expect(drift).toMatchObject({ items: [], notes: ['away', 'denied'] })
  })

  test('a replica that nothing names, unless it runs a job or leaves', () => {
    const replica = (id: string, leaving = false) => ({
      id,
      service: id.split('/')[0] ?? '',
      leaving,
      startedAt: 6,
    })
    const replicas = [
      replica('web/1'),
      replica('old/1'),
      replica('old/2', true),
      replica('job-tidy/1'),
      replica('main/1'),
    ]
    expect(driftIn({ replicas: { value: replicas as never } }).items).toEqual([
      {
        object: 'replica old/1',
        says: 'left over: it runs, and the file does not name its service',
        since: 6,
      },
    ])
  })

  test('files of a release: a handful by name', () => {
    const paths = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const releases = [
      { service: 'web', release: '1', look: { state: 'changed', paths, since: 8 } },
      { service: 'web', release: '2', look: { state: 'gone' } },
      { service: 'web', release: '3', look: { state: 'same' } },
    ] as const
    expect(driftIn({ releases }).items).toEqual([
      {
        object: 'release 1 of web',
        says: 'its files were changed by hand: a, b, c, d, e, and 2 more',
        since: 8,
      },
      { object: 'release 2 of web', says: 'its files are gone, and it runs', since: null },
    ])
  })
})

describe('drift of a database', () => {
  const record: DatabaseRecord = {
    engine: 'postgres',
    major: '15',
    programs: '',
    port: 12_000,
    container: null,
    createdAt: 1,
    password: 'hush',
    adminPassword: 'hush',
  }
  const about = { name: 'main', engine: 'postgres', managed: true, address: '', sizeBytes: 1 } as const
  const state = { version: '15.3', state: 'healthy', says: 'well' } as const
  const whole: DatabaseScene = {
    view: { ...about, ...state, names: ['main'], missing: [], url: '', usedBy: [], createdAt: 1 },
    record: { value: record },
    directory: { modifiedAt: 1, entries: { files: 2, 'record.json': 3 } },
    replica: { port: 12_000 },
  }
  const says = (change: Partial<DatabaseScene>): readonly string[] =>
    driftIn({ databases: [{ ...whole, ...change }] }).items.map((item) => `${item.says} ${item.since}`)

  test.each([
    [{}, []],
    [{ record: { value: { ...record, port: 1 } } }, ['it listens on port 12000, and its record says 1 3']],
    [{ record: { value: { ...record, major: '16' } } }, ['it runs version 15.3, and its record says 16 3']],
    [{ record: { value: null } }, ['its record is gone, with its port and its passwords 3']],
    [{ record: { trouble: 'garbage' } }, ['garbage 3']],
    [{ replica: null }, []],
    [{ directory: { modifiedAt: 4, entries: { 'record.json': 3 } } }, ['its data directory is gone 4']],
    [
      { view: { ...whole.view, missing: ['user main'], says: 'main is without user main' } },
      ['main is without user main null'],
    ],
    [
      { view: { ...whole.view, version: null }, directory: { modifiedAt: 4, entries: { 'record.json': 3 } } },
      [],
    ],
  ])('%j: %j', (change, expected) => {
    expect(says(change)).toEqual(expected)
    expect(JSON.stringify(says(change))).not.toContain('hush')
  })
})
