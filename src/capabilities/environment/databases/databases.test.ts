import { describe, expect, test } from 'vitest'
import { ask, contextOf } from '../../../../test/support/context.ts'
import { emptyStores } from '../../../../test/support/environment/empty.ts'
import { openSeries } from '../../../kernel/series/index.ts'
import { seededRandom, virtualClock } from '../../../kernel/std/index.ts'
import { memoryTimeline, type Fact } from '../../../kernel/timeline/index.ts'
import type { DatabaseList } from '../../../contracts/environment.ts'
import { servicesConfig } from '../config.ts'
import { findStrangers, findUnfitDatabases } from '../findings/index.ts'
import type { DatabaseProvider, DatabaseStore } from '../ports.ts'
import { jobConfig } from '../runs/config.ts'
import { environmentFold, type EnvironmentView } from '../view.ts'
import { needsOf, startTimeouts, wishedServices } from '../wish/index.ts'
import { databasesConfig } from './config.ts'
import { createDatabases } from './databases.ts'
import { fileUrl, hiddenUrl, plainAddress, probeOrigin, urlFor } from './managed.ts'
import { bindDatabases } from './operations.ts'
import { findDatabaseTroubles } from './troubles.ts'

const databases = databasesConfig.parse({
  main: { engine: 'postgres', names: ['shop', 'logs'], settings: { work_mem: '1MB' } },
  cache: { engine: 'redis' },
  local: { engine: 'sqlite' },
  outside: { engine: 'mariadb', urlVariable: 'OUTSIDE' },
})
const outside = 'mysql://a%40b:c%2Fd@db.example/orders?ssl=1'

/** A server in memory, whose version and health a test sets. */
function fakeServer() {
  const missing: string[] = []
  const state = { version: '15.3', installed: ['15.3'], isUp: true, refuses: false, provisioned: 0, missing }
  const provider: DatabaseProvider = {
    find: () =>
      Promise.resolve(
        state.installed.map((version) => ({
          version,
          major: version.split('.')[0] ?? '',
          directory: '/bin',
        })),
      ),
    packageOf: (major) => `server-${major ?? 'any'}`,
    start: ({ place, port, settings }) => ({
      command: ['server', place, String(port), JSON.stringify(settings)],
      variables: { SECRET: 'x' },
    }),
    probe: () =>
      Promise.resolve(state.isUp ? { healthy: true, detail: '' } : { healthy: false, detail: 'no' }),
    provision: () => {
      state.provisioned++
      return state.refuses ? Promise.reject(new Error('full')) : Promise.resolve(state.version)
    },
    missing: () => Promise.resolve(state.missing),
    sizeBytes: () => Promise.resolve(7),
    url: ({ name, port, password }, inside) => `db://${name}:${password}@127.0.0.1:${port}/${inside}`,
  }
  return { state, provider }
}

/** Rooms of databases over one world; each is a control that comes after the one before. */
async function world() {
  const clock = virtualClock()
  const timeline = memoryTimeline({ clock, random: seededRandom(3) })
  const context = contextOf({ timeline, series: await openSeries({ path: null, clock }), clock })
  const { state, provider } = fakeServer()
  const view = await context.view(environmentFold)
  const { databases: store } = emptyStores()
  const kinds = async (): Promise<readonly string[]> =>
    (await timeline.read({ limit: 100, order: 'oldest' })).map(({ kind }: Fact) => kind.slice(12))
  const control = (config = databases) =>
    createDatabases({
      databases: config,
      context,
      view: (): EnvironmentView => view.state,
      ports: {
        databases: store,
        databaseProviders: { postgres: provider, mariadb: provider, redis: provider },
        prober: { probe: () => Promise.resolve({ healthy: false, detail: 'refuses connections' }) },
        hostVariables: { OUTSIDE: outside, PATH: '/bin', TOKEN: 'private' },
      },
    })
  return { clock, state, store, kinds, control }
}

describe('databases', () => {
  test('port and passwords are chosen once, and stay what they are', async () => {
    const { control, kinds } = await world()
    const [first, second] = [control(), control()]
    await first.prepare()
    await second.prepare()
    expect((await kinds()).filter((kind) => kind === 'database-prepared')).toHaveLength(3)
    expect(first.urlOf({ database: 'main' })).toMatch(/^db:\/\/main:[\w-]{32}@127\.0\.0\.1:\d+\/shop$/)
    expect(second.urlOf({ database: 'main' })).toBe(first.urlOf({ database: 'main' }))
    expect(second.wished()).toEqual(first.wished())
    expect(first.urlOf({ database: 'main', name: 'logs' })).toMatch(/\/logs$/)
    expect(first.urlOf({ database: 'local' })).toBe('file:///databases/local/files/local.db')
    expect(first.urlOf({ database: 'outside' })).toBe(outside)
    expect(first.urlOf({ database: 'outside', name: 'x' })).toBe('mysql://a%40b:c%2Fd@db.example/x?ssl=1')
  })

  test('URLs are shown without what opens them', async () => {
    const { control } = await world()
    const room = control()
    await room.prepare()
    expect(room.shownUrlOf('main')).toMatch(/^db:\/\/main:\*\*\*@127\.0\.0\.1:\d+\/shop$/)
    expect(room.shownUrlOf('local')).toBe('file:///databases/local/files/local.db')
    expect(room.shownUrlOf('outside')).toBe('mysql://a%40b:***@db.example/orders')
    expect(hiddenUrl('redis://h:1/0?password=x')).toBe('redis://h:1/0')
    expect(hiddenUrl('not an address')).toBe('')
    expect(room.createdAtOf('main')).toBeTypeOf('number')
    expect(room.createdAtOf('outside')).toBe(null)
  })

  test('one learns who finds a URL in which variable', async () => {
    const { control } = await world()
    const room = control()
    await room.prepare()
    const services = servicesConfig.parse({
      web: {
        command: ['a'],
        env: { A: { database: 'main' }, B: { database: 'main', name: 'logs' }, C: 'x' },
      },
    })
    const jobs = { tidy: jobConfig.parse({ command: ['b'], env: { D: { database: 'cache' } } }) }
    const watch = { services: () => [] }
    const view = () => environmentFold.initial
    const operations = bindDatabases({ databases, services, jobs, room, watch, view })
    const answer = await ask({ operations } as unknown as Parameters<typeof ask>[0], 'environment.databases')
    const found = (answer['databases'] as DatabaseList['databases']).map(({ name, usedBy }) => [name, usedBy])
    expect(found).toEqual([
      [
        'main',
        [
          { object: 'service web', variable: 'A', name: null },
          { object: 'service web', variable: 'B', name: 'logs' },
        ],
      ],
      ['cache', [{ object: 'job tidy', variable: 'D', name: null }]],
      ['local', []],
      ['outside', []],
    ])
  })

  test('servers run, one replica each and replaced in place; files and foreign ones do not', async () => {
    const { control } = await world()
    const room = control()
    await room.prepare()
    expect(room.wished().map(({ name }) => name)).toEqual(['main', 'cache'])
    const [main] = room.wished()
    expect(main).toMatchObject({ replicas: 1, rollout: { inPlace: true }, startTimeoutMs: 60_000 })
    expect(main?.specification.variables).toEqual({ PATH: '/bin', SECRET: 'x' })
    expect(Object.keys(room.services)).toEqual(['main', 'cache', 'outside'])
    expect(room.services['outside']?.address).toBe('mysql://db.example/orders')
  })

  test('one is well when it answers and its users and databases are there, said once for each of its lives', async () => {
    const { control, state, kinds, clock } = await world()
    const room = control()
    await room.prepare()
    state.isUp = false
    expect(await room.probe('main', 10)).toEqual({ healthy: false, detail: 'no' })
    expect(state.provisioned).toBe(0)
    Object.assign(state, { isUp: true, refuses: true })
    expect(await room.probe('main', 10)).toEqual({ healthy: false, detail: 'full' })
    state.refuses = false
    await clock.advance(2500)
    expect(await room.probe('main', clock.now() - 2500)).toEqual({ healthy: true, detail: '' })
    const since = clock.now() - 2500
    await room.probe('main', since)
    const next = control()
    await next.prepare()
    await next.probe('main', since)
    expect(state.provisioned).toBe(2)
    await next.probe('main', since + 1)
    expect((await kinds()).filter((kind) => kind === 'database-ready')).toHaveLength(2)
    const more = control(databasesConfig.parse({ main: { engine: 'postgres', names: ['shop', 'new'] } }))
    await more.prepare()
    await more.probe('main', since + 1)
    expect(state.provisioned).toBe(4)
  })

  test('a newer minor version is said before and after the restart that runs it', async () => {
    const { control, state, kinds } = await world()
    const room = control()
    await room.prepare()
    await room.probe('main', 1)
    expect(room.notes()).toEqual([])
    state.installed = ['15.4']
    const next = control()
    await next.prepare()
    expect(next.notes()).toEqual([
      'database main runs 15.3; 15.4 is installed, and runs after "holdfast restart main"',
    ])
    state.version = '15.4'
    await next.probe('main', 2)
    expect(next.notes()).toEqual([])
    expect((await kinds()).slice(-2)).toEqual(['database-upgraded', 'database-ready'])
  })

  test('what does not fit its data is found, and not started on them', async () => {
    const { control, state, store } = await world()
    await control().prepare()
    const { provider } = fakeServer()
    const providers = { postgres: provider, mariadb: provider, redis: provider }
    const troubles = async (main: object, records: Pick<DatabaseStore, 'read'> | null = store) => {
      const config = databasesConfig.parse({ main })
      const ground = { providers, store: records, hostVariables: {} }
      return (await findDatabaseTroubles(config, ground)).map(({ path, hint }) => [path, hint])
    }
    expect(await troubles({ engine: 'postgres' })).toEqual([])
    expect(await troubles({ engine: 'postgres', version: '15' })).toEqual([])
    expect(await troubles({ engine: 'postgres', version: '16' })).toEqual([
      ['databases.main.version', expect.stringContaining('with a dump')],
    ])
    expect(await troubles({ engine: 'redis' })).toMatchObject([['databases.main.engine', expect.anything()]])
    expect(await troubles({ engine: 'sqlite' })).toMatchObject([['databases.main.engine', expect.anything()]])
    expect(await troubles({ engine: 'postgres', version: '16' }, null)).toEqual([
      ['databases.main.version', 'install them: apt-get install server-16'],
    ])
    expect(await troubles({ engine: 'postgres', urlVariable: 'NONE' })).toMatchObject([
      ['databases.main.urlVariable', expect.anything()],
    ])
    state.installed = ['16.1']
    const other = control(databasesConfig.parse({ main: { engine: 'postgres', version: '16' } }))
    await other.prepare()
    expect(other.wished()).toEqual([])
  })
})

test('containers would not reach what runs on this machine', () => {
  const paths = (containers: boolean) => findUnfitDatabases(databases, { containers }).map(({ path }) => path)
  expect(paths(false)).toEqual([])
  expect(paths(true)).toEqual(['databases.main', 'databases.cache', 'databases.local'])
})

describe('the section of the file', () => {
  test.each([
    [{ engine: 'postgres', url: 'postgres://a', urlVariable: 'A' }, /either/],
    [{ engine: 'postgres', url: 'redis://a' }, /begins with postgres:/],
    [{ engine: 'sqlite', settings: { a: 'b' } }, /no server/],
    [{ engine: 'redis', settings: { save: '1 1\nrequirepass x' } }, /one line/],
    [{ engine: 'redis', settings: { requirepass: 'x' } }, /sets this itself/],
    [{ engine: 'postgres', names: ['a"; DROP'] }, /letters, digits/],
    [{ engine: 'oracle' }, /postgres/],
  ])('%j is refused', (main, message) => {
    expect(databasesConfig.safeParse({ main }).error?.message).toMatch(message)
  })

  test('addresses are shown without secrets and probed at their usual ports', () => {
    expect(plainAddress('postgres://u:p@h:1/d?x=y')).toBe('postgres://h:1/d')
    expect(probeOrigin({ engine: 'postgres' }, 'postgres://u:p@[::1]/d')).toBe('http://[::1]:5432')
    expect(probeOrigin({ engine: 'redis' }, 'redis://h:7000')).toBe('http://h:7000')
    expect(probeOrigin({ engine: 'postgres' }, 'postgres:///d?host=/run')).toBe(null)
    expect(urlFor('postgres://u:p%40@h/d?x=y', 'a b')).toBe('postgres://u:p%40@h/a%20b?x=y')
    expect(fileUrl('/a b/c', 'd')).toBe('file:///a%20b/c/d.db')
  })
})

describe('services that refer to databases', () => {
  const services = servicesConfig.parse({
    web: { command: ['a'], env: { A: { database: 'main' }, B: { database: 'local' } }, startTimeout: '5s' },
    worker: { command: ['b'], env: { B: { database: 'local' } }, needs: ['web'] },
    alone: { command: ['c'] },
  })
  const sections = { services, databases, volumes: {}, jobs: {}, schedules: {} }

  test('need them, and have their time after them', () => {
    expect(needsOf(sections)).toMatchObject({ web: ['main', 'local'], worker: ['web', 'local'], main: [] })
    const times = startTimeouts(sections)
    expect(times).toMatchObject({ main: 60_000, web: 65_000, worker: 95_000, alone: 30_000 })
  })

  test('share a user where they share a file, which is theirs to write', () => {
    const ground = {
      directory: '/srv',
      hostVariables: {},
      containers: false,
      givenVariables: () => ({}),
      releaseDirectory: () => '/releases',
      releaseImage: () => null,
      volumes: {},
      volumeDirectory: (volume: string) => `/volumes/${volume}`,
      databases,
      databaseDirectory: (database: string) => `/databases/${database}`,
      databaseUrl: ({ database }: { readonly database: string }) => `db://${database}`,
    }
    const wished = wishedServices(services, () => ({ wished: '', pending: null }), ground)
    const seen = wished.map(({ specification: { user, writes, variables } }) => {
      const { PATH: _path, ...told } = variables
      return { user, writes, variables: told }
    })
    expect(seen).toEqual([
      {
        user: 'database-local',
        writes: ['/databases/local'],
        variables: { A: 'db://main', B: 'db://local' },
      },
      { user: 'database-local', writes: ['/databases/local'], variables: { B: 'db://local' } },
      { user: undefined, writes: undefined, variables: {} },
    ])
  })

  test('are told when there is no such database, none of that name in it, or one of two names', () => {
    const found = (changes: object) =>
      findStrangers({ ...sections, ...changes }).map(({ message }) => message)
    expect(found({})).toEqual([])
    expect(found({ databases: {} })).toContain('there is no database "main"')
    const twice = servicesConfig.parse({
      cache: { command: ['a'], env: { A: { database: 'main', name: 'x' } } },
    })
    expect(found({ services: twice })).toEqual([
      'a service is called "cache" too',
      'database "main" has no "x" in it',
    ])
  })
})
