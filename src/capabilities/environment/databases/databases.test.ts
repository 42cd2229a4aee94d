import { describe, expect, test } from 'vitest'
import { contextOf } from '../../../../test/support/context.ts'
import { emptyStores } from '../../../../test/support/environment/empty.ts'
import { openSeries } from '../../../kernel/series/index.ts'
import { seededRandom, virtualClock } from '../../../kernel/std/index.ts'
import { memoryTimeline, type Fact } from '../../../kernel/timeline/index.ts'
import { servicesConfig } from '../config.ts'
import { findStrangers, findUnfitDatabases } from '../findings/index.ts'
import type { DatabaseHost, DatabaseProvider, DatabaseStore } from '../ports.ts'
import { environmentFold, type EnvironmentView } from '../view.ts'
import { needsOf, startTimeouts, wishedServices } from '../wish/index.ts'
import { databasesConfig } from './config.ts'
import { createDatabases } from './databases.ts'
import { fileUrl, plainAddress, probeOrigin, urlFor } from './managed.ts'
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
  const reached = { healthy: false, detail: 'refuses connections' }
  const state = { version: '15.3', installed: ['15.3'], isUp: true, refuses: false, provisioned: 0, reached }
  const provider: DatabaseProvider = {
    versionCommand: ['server', '--version'],
    versionOf: (said) => {
      const version = /^server (\d+)\.\d+$/.exec(said)
      return version === null ? null : { version: said.slice(7), major: version[1] ?? '' }
    },
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
    sizeBytes: () => Promise.resolve(7),
    url: ({ name, host, port, password }, inside) => `db://${name}:${password}@${host}:${port}/${inside}`,
  }
  return { state, provider }
}

/** A node with images, whose address, daemon and images a test sets; null: it does not answer. */
function fakeNode() {
  const images: Record<string, string> = { 'server:15': 'server 15.3', 'server:15b': 'server 15.4' }
  const node = {
    home: { daemon: 'one', host: '10.0.0.1' } as { daemon: string; host: string } | null,
    images,
  }
  const host: DatabaseHost = {
    home: () =>
      node.home === null
        ? Promise.reject(new Error('away'))
        : Promise.resolve({ ...node.home, takenPorts: [12_001] }),
    imageId: (image) => Promise.resolve(Object.hasOwn(node.images, image) ? `sha256:${image}` : null),
    tryOut: (imageId) => Promise.resolve(node.images[imageId.slice(7)] ?? ''),
  }
  return { node, host }
}

/** Rooms of databases over one world; each is a control that comes after the one before. */
async function world(databaseHost: DatabaseHost | null = null) {
  const clock = virtualClock()
  const timeline = memoryTimeline({ clock, random: seededRandom(3) })
  const context = contextOf({ timeline, series: await openSeries({ path: null, clock }), clock })
  const { state, provider } = fakeServer()
  const view = await context.view(environmentFold)
  const { databases: store, volumes } = emptyStores()
  const kinds = async (): Promise<readonly string[]> =>
    (await timeline.read({ limit: 100, order: 'oldest' })).map(({ kind }: Fact) => kind.slice(12))
  const control = (config = databases) =>
    createDatabases({
      databases: config,
      context,
      view: (): EnvironmentView => view.state,
      ports: {
        databases: store,
        databaseHost,
        volumes,
        databaseProviders: { postgres: provider, mariadb: provider, redis: provider },
        prober: { probe: () => Promise.resolve(state.reached) },
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
      const ground = { providers, store: records, host: null, hostVariables: {} }
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

describe('databases in containers', () => {
  const inImage = (image: string, more: object = {}) =>
    databasesConfig.parse({ main: { engine: 'postgres', image, ...more } })
  const prepared = async (control: Awaited<ReturnType<typeof world>>['control'], image: string) => {
    const room = control(inImage(image))
    await room.prepare()
    return room
  }

  test('run from the image as it was when it was first named, on a volume and a port of the node', async () => {
    const { node, host } = fakeNode()
    const { control } = await world(host)
    const [wish] = (await prepared(control, 'server:15')).wished()
    expect(wish?.specification).toMatchObject({
      image: 'sha256:server:15',
      mounts: { 'database.main': '/volumes/database.main' },
      port: { fixed: 12_000 },
      published: 12_000,
      variables: { SECRET: 'x' },
    })
    expect(wish?.specification.user).toBe(undefined)
    node.images['server:15'] = 'server 15.9'
    node.home = null
    const again = await prepared(control, 'server:15')
    expect(again.wished()).toEqual([wish])
    expect(again.urlOf({ database: 'main' })).toMatch(/@10\.0\.0\.1:12000\/main$/)
    node.home = { daemon: 'one', host: '10.0.0.2' }
    expect((await prepared(control, 'server:15')).addressOf('main')).toBe('10.0.0.2:12000')
  })

  test('another image of the same major version takes its place, one of another does not', async () => {
    const { node, host } = fakeNode()
    const { control } = await world(host)
    const [before] = (await prepared(control, 'server:15')).wished()
    const [after] = (await prepared(control, 'server:15b')).wished()
    expect(after?.specification).toEqual({ ...before?.specification, image: 'sha256:server:15b' })
    node.images['server:16'] = 'server 16.0'
    expect((await prepared(control, 'server:16')).wished()).toEqual([after])
  })

  test('are not started on the node of another daemon, which does not have their files', async () => {
    const { node, host } = fakeNode()
    const { control } = await world(host)
    await prepared(control, 'server:15')
    node.home = { daemon: 'two', host: '10.0.0.9' }
    const room = await prepared(control, 'server:15')
    expect(room.wished()).toEqual([])
    expect(room.notes()).toEqual([expect.stringContaining('another Docker daemon')])
  })

  test('are well when they are reached from outside, too', async () => {
    const { host } = fakeNode()
    const { control, state } = await world(host)
    const room = await prepared(control, 'server:15')
    expect(await room.probe('main', 10)).toEqual({ healthy: false, detail: 'refuses connections' })
    Object.assign(state, { reached: { healthy: true, detail: '' } })
    expect(await room.probe('main', 10)).toEqual({ healthy: true, detail: '' })
  })

  test('what cannot run is found before it does', async () => {
    const { node, host } = fakeNode()
    const { control, store } = await world(host)
    const { provider } = fakeServer()
    const providers = { postgres: provider, mariadb: provider, redis: provider }
    const troubles = async (image: string, more: object = {}) => {
      const found = await findDatabaseTroubles(inImage(image, more), {
        providers,
        store,
        host,
        hostVariables: {},
      })
      return found.map(({ message }) => message)
    }
    Object.assign(node.images, { 'server:16': 'server 16.0', tiny: 'not found' })
    expect(await troubles('server:15')).toEqual([])
    expect(await troubles('server:14')).toEqual(['the image server:14 is not on the node'])
    expect(await troubles('tiny')).toEqual(['the image tiny has no postgres in it (not found)'])
    expect(await troubles('server:16', { version: '15' })).toEqual([
      'the image server:16 is postgres 16, and the file says 15',
    ])
    await expect(prepared(control, 'server:14')).rejects.toMatchObject({
      code: 'environment.database-image-unusable',
    })
    node.home = { daemon: 'one', host: '127.0.0.1' }
    expect(await troubles('server:15')).toEqual([expect.stringContaining('advertises 127.0.0.1')])
    node.home = { daemon: 'one', host: '10.0.0.1' }
    await prepared(control, 'server:15')
    expect(await troubles('server:16')).toEqual([
      'the image server:16 is postgres 16, and the data of "main" are of 15',
    ])
    delete node.images['server:15']
    expect(await troubles('server:15')).toEqual([])
  })

  test('data do not move between a directory and a volume by themselves', async () => {
    const { host } = fakeNode()
    const onSwarm = await world(host)
    await prepared(onSwarm.control, 'server:15')
    const here = await world()
    await here.control().prepare()
    const { provider } = fakeServer()
    const providers = { postgres: provider, mariadb: provider, redis: provider }
    const moved = { providers, hostVariables: {}, store: here.store, host }
    const back = { ...moved, store: onSwarm.store, host: null }
    expect(await findDatabaseTroubles(inImage('server:15'), moved)).toMatchObject([
      { message: expect.stringMatching(/are in a directory of this machine.* on a volume/) as unknown },
    ])
    expect(
      await findDatabaseTroubles(databasesConfig.parse({ main: { engine: 'postgres' } }), back),
    ).toMatchObject([
      { message: expect.stringMatching(/are on a volume of Docker.* in a directory/) as unknown },
    ])
  })

  test('need an image, which the local engine has no use for', () => {
    const paths = (section: typeof databases, containers: boolean) =>
      findUnfitDatabases(section, { containers }).map(({ path }) => path)
    expect(paths(databases, false)).toEqual([])
    expect(paths(databases, true)).toEqual([
      'databases.main.image',
      'databases.cache.image',
      'databases.local',
    ])
    expect(paths(inImage('server:15'), true)).toEqual([])
    expect(paths(inImage('server:15'), false)).toEqual(['databases.main.image'])
  })
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
    [{ engine: 'sqlite', image: 'sqlite:3' }, /no server in an image/],
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
      volumes: {},
      volumeDirectory: (volume: string) => `/volumes/${volume}`,
      databases,
      databaseDirectory: (database: string) => `/databases/${database}`,
      databaseUrl: ({ database }: { readonly database: string }) => `db://${database}`,
    }
    const wished = wishedServices(services, () => ({ wished: '', pending: null }), ground)
    const seen = wished.map(({ specification: { user, writes, variables } }) => ({ user, writes, variables }))
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
