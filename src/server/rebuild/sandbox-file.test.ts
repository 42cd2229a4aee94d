import { describe, expect, test } from 'vitest'
import { parseEnvironment, type EnvironmentInput } from '../composition/index.ts'
import { requestsThrough } from './routes.ts'
import { neededMemory, refuseWithoutRoom } from './room-for.ts'
import { fixedPorts, sandboxFile, type SandboxWish } from './sandbox-file.ts'

const shop: EnvironmentInput = {
  name: 'shop',
  services: {
    web: {
      command: ['node', 'web.js'],
      health: '/healthz',
      replicas: { min: 3, max: 9 },
      passEnv: ['API_TOKEN'],
      files: { APP_KEY: { variable: 'APP_KEY' }, APP_CONFIG: './app.json' },
      env: { MODE: 'real' },
      resources: { memoryMiB: 512 },
    },
    legacy: { address: 'http://10.0.0.7:80' },
    mailer: { command: ['node', 'mailer.js'], listens: false, port: 2525 },
  },
  databases: {
    main: { engine: 'postgres', settings: { max_connections: '50' } },
    cache: { engine: 'redis', urlVariable: 'CACHE_URL' },
    old: { engine: 'mariadb', url: 'mysql://root:hidden@db.example/old' },
  },
  jobs: { migrate: { command: ['node', 'migrate.js'], passEnv: ['ADMIN_TOKEN'] } },
  schedules: { nightly: { job: 'migrate', at: '0 4 * * *' } },
  edge: {
    listen: [
      { port: 443, host: '0.0.0.0', tls: { certificate: 'a.pem', key: 'a.key' } },
      { port: 80, redirectTo: 443 },
      { port: 8081 },
    ],
    identity: {
      apiKeys: { file: 'keys.json' },
      session: { secretVariable: 'SESSION_SECRET' },
      jwt: { jwks: 'https://id.example/keys' },
    },
    shared: { redis: 'redis://counters.example:6379', passwordVariable: 'REDIS_PASSWORD', edges: 2 },
    routes: {
      'POST /login': { to: 'web', limit: '5/min per ip' },
      'GET api.example.com/users/:id': { to: 'web', limit: '5/min per ip' },
      '/old/*': { to: 'legacy', limit: '5/min per ip' },
    },
  },
  control: {
    port: 8400,
    host: '0.0.0.0',
    tls: { certificate: 'a.pem', key: 'a.key' },
    hosts: ['ops.example'],
  },
}

let invented = 0
const wish: SandboxWish = {
  into: 'drill',
  directories: { web: '/data/releases/web' },
  ports: null,
  standIns: '/data/stand-ins',
  invent: () => `secret-${++invented}`,
}

describe('the file of a second environment', () => {
  const { data, variables, files, notes } = sandboxFile(shop, wish)
  const parsed = parseEnvironment(data)

  test('is a valid one of another name, with one replica of each service, and no clock', () => {
    expect(parsed.name).toBe('drill')
    expect(parsed.services['web']).toMatchObject({
      replicas: { min: 1, max: 1 },
      directory: '/data/releases/web',
    })
    expect(parsed.services['web']?.env).toEqual({ MODE: 'real' })
    expect(parsed.schedules).toEqual({})
    expect(parsed.jobs).toHaveProperty('migrate')
    expect(notes.join('; ')).toContain('schedules are off: nightly')
  })

  test('has empty databases of its own in the place of all', () => {
    expect(data.databases).toEqual({
      main: shop.databases?.['main'],
      cache: { engine: 'redis' },
      old: { engine: 'mariadb' },
    })
    expect(notes.join('; ')).toContain('cache, old: empty ones')
  })

  test('names no secret, and nobody outside', () => {
    expect(Object.keys(variables).toSorted()).toEqual([
      'ADMIN_TOKEN',
      'API_TOKEN',
      'APP_KEY',
      'SESSION_SECRET',
    ])
    expect(new Set(Object.values(variables)).size).toBe(4)
    expect(parsed.edge.identity?.apiKeys?.file).toBe('/data/stand-ins/api-keys.json')
    expect(files['/data/stand-ins/api-keys.json']).toBe('{}')
    const text = JSON.stringify(data)
    for (const outside of [
      'a.key',
      'keys.json"',
      '10.0.0.7',
      'counters.example',
      'ops.example',
      '0.0.0.0',
      'hidden',
    ])
      expect(text.replaceAll('/data/stand-ins/api-keys.json', '')).not.toContain(outside)
    expect(notes.join('; ')).toContain('legacy: somebody else runs it')
  })

  test('listens on loopback: on ports of the file that need no permission, or on those given', () => {
    const portsOf = (ports: SandboxWish['ports']) => {
      const { edge, control } = parseEnvironment(sandboxFile(shop, { ...wish, ports }).data)
      return [...edge.listen.map(({ host, port, tls }) => [host, port, tls]), [control.host, control.port]]
    }
    const lo = '127.0.0.1'
    const [tls, given] = [undefined, [1, 2, 3, 4]]
    expect(portsOf(null)).toEqual([
      [lo, 20_443, tls],
      [lo, 20_080, tls],
      [lo, 8081, tls],
      [lo, 8400],
    ])
    expect(portsOf(given)).toEqual([
      [lo, 1, tls],
      [lo, 2, tls],
      [lo, 3, tls],
      [lo, 4],
    ])
  })

  test('says which services insist on a port', () => {
    expect(fixedPorts(shop)).toEqual(['mailer'])
  })

  test('is asked once for each service of ours that a GET reaches', () => {
    expect(requestsThrough(parsed)).toEqual([{ service: 'web', host: 'api.example.com', path: '/users/id' }])
    const wide = { ...parsed, edge: { ...parsed.edge, routes: {} } }
    expect(requestsThrough(wide)).toEqual([])
    const all = { '/*': { to: 'web', limit: '5/min per ip' } }
    const widest = parseEnvironment({ ...shop, edge: { ...shop.edge, routes: all } })
    expect(requestsThrough(widest)).toEqual([{ service: 'web', host: null, path: '/healthz' }])
  })
})

describe('room for a second environment', () => {
  const environment = parseEnvironment(shop)
  const mib = 2 ** 20

  test('is what its services may take, and the house', () => {
    expect(neededMemory(environment)).toBe((384 + 512 + 128) * mib)
  })

  test('is refused for want of memory or disk, and says how much', () => {
    const plenty = { memoryBytes: 1024 * mib, diskBytes: 512 * mib }
    expect(() => refuseWithoutRoom(environment, plenty)).not.toThrow()
    const lacks = (free: Partial<typeof plenty>) => () =>
      refuseWithoutRoom(environment, { ...plenty, ...free })
    expect(lacks({ memoryBytes: 1000 * mib })).toThrow(/1\.0 GiB of memory and 1000 MiB are free/)
    expect(lacks({ diskBytes: 100 * mib })).toThrow(/512 MiB of disk have to be free/)
  })
})
