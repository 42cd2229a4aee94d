import { describe, expect, test } from 'vitest'
import { edgePolicy } from '../../../contracts/edge-policy.ts'
import { mostWindowCost } from '../../../kernel/limit/index.ts'
import { asHoldfastError, type HoldfastError } from '../../../kernel/std/index.ts'
import { edgeConfig } from '../config.ts'
import { createTrust } from '../pipeline/index.ts'
import { compilePolicy, rulesHash } from './compile.ts'
import { knownProxies, knownProxyNames } from './known-proxies.ts'
import { findBroadTrust } from './trust.ts'
import { findExpiredWaivers } from './waivers.ts'

const upstreams = [
  { name: 'web', targets: [{ id: 'web/1', origin: 'http://127.0.0.1:3000' }], healthPath: '/healthz' },
  { name: 'api', targets: [], healthPath: null },
]
const ground = { environment: 'arcade', upstreams }

const compile = (section: object) => compilePolicy(edgeConfig.parse(section), ground)

function errorOf(section: object): HoldfastError {
  try {
    compile(section)
  } catch (error) {
    return asHoldfastError(error)
  }
  throw new Error('it was accepted')
}

const fine = { to: 'web', limit: '5/min per ip' }

describe('a policy', () => {
  test('has the defaults, fits its contract, and says where limits belong', () => {
    const policy = compile({
      routes: {
        'POST /login': { to: 'web', limit: ['5/min per ip', '300/min'] },
        '/*': { ...fine, maxBody: '1MiB' },
      },
    })
    expect(edgePolicy.parse(JSON.parse(JSON.stringify(policy)))).toEqual(policy)
    expect(policy.listeners).toEqual([{ host: '127.0.0.1', port: 8080, tls: null, redirectToPort: null }])
    expect(policy.limits.map(({ name, rule }) => `${name}: ${rule}`)).toEqual([
      'edge.route.POST /login: 5/min per ip',
      'edge.route.POST /login: 300/min',
      'edge.route./*: 5/min per ip',
      'edge.unmatched: 60/min per ip',
      'edge.upgrades: 120/min per client',
      'edge.errors: 600/min per ip',
    ])
    expect(policy.routes.map(({ limits }) => limits)).toEqual([[0, 1], [2]])
    expect(policy.unmatchedLimits).toEqual([3])
    expect(policy.routes[1]).toMatchObject({
      maxBodyBytes: 2 ** 20,
      responseTimeoutMs: 30_000,
      idleTimeoutMs: 60_000,
    })
    expect(policy.upstreams.map(({ name }) => name)).toEqual(['web'])
  })

  test('shares all limits but those of routes that stay at home and of proofs', () => {
    const shared = { redis: 'redis://10.0.0.5:6379/1', mode: 'lease', edges: 3 }
    const strict = { ...fine, shared: { whenDown: 'closed' } }
    const chat = { ...fine, messages: '5/s per user', shared: { mode: 'exact' } }
    const home = { ...fine, messages: '9/s', shared: false }
    const routes = { 'POST /login': strict, '/home': home, '/chat': chat, '/*': fine }
    const policy = compile({ shared, routes, identity: { passport: true } })
    expect(policy.shared).toEqual({
      url: 'redis://10.0.0.5:6379/1',
      mode: 'lease',
      edges: 3,
      limits: [
        { limit: 0, whenDown: 'closed' },
        { limit: 3, whenDown: 'local-share', mode: 'exact' },
        { limit: 4, whenDown: 'local-share', mode: 'exact' },
        { limit: 5, whenDown: 'local-share' },
        { limit: 6, whenDown: 'local-share' },
        { limit: 7, whenDown: 'local-share' },
        { limit: 8, whenDown: 'local-share', mode: 'exact' },
      ],
    })
    expect(policy.limits.map(({ name }) => name).slice(4)).toEqual([
      'edge.messages./chat',
      'edge.route./*',
      'edge.unmatched',
      'edge.upgrades',
      'edge.errors',
      'edge.identity.verifications',
      'edge.identity.passports',
    ])
    const closed = compile({ shared: { ...shared, whenDown: 'closed' }, routes: { '/*': fine } })
    expect(closed.shared?.limits.map(({ whenDown }) => whenDown)).toEqual([
      'closed',
      'closed',
      'closed',
      'local-share',
    ])
    expect(edgePolicy.parse(JSON.parse(JSON.stringify(policy)))).toEqual(policy)
    const slow = { to: 'web', limit: '1/day burst 100000' }
    expect(errorOf({ shared, routes: { '/*': slow } })).toMatchObject({ path: 'edge.routes./*.limit' })
    expect(compile({ shared, routes: { '/*': { ...slow, shared: false } } }).shared?.limits).toHaveLength(3)
    expect(errorOf({ shared, routes: {}, unmatched: '1/day burst 100000' })).toMatchObject({
      path: 'edge.unmatched',
      hint: 'write a smaller burst',
    })
    expect(() => edgeConfig.parse({ shared: { redis: '10.0.0.5', edges: 2 } })).toThrow('redis://host:port')
  })

  test('names where the password of the store is, and takes none into the policy', () => {
    const shared = { redis: 'redis://edge@10.0.0.5:6379', edges: 2 }
    const compiled = (more: object): unknown =>
      compilePolicy(edgeConfig.parse({ shared: { ...shared, ...more } }), {
        ...ground,
        directory: '/srv/arcade',
      }).shared?.password
    expect(compiled({})).toBeUndefined()
    expect(compiled({ passwordFile: 'redis.txt' })).toEqual({ kind: 'file', file: '/srv/arcade/redis.txt' })
    expect(compiled({ passwordVariable: 'REDIS' })).toEqual({ kind: 'variable', variable: 'REDIS' })
    const both = { passwordFile: 'a', passwordVariable: 'B' }
    expect(() => compiled(both)).toThrow('give one of passwordFile and passwordVariable')
    const urls = ['redis://:hush@h', 'rediss://edge:hush@h:6379/1', '/run/redis?password=hush']
    for (const redis of urls) {
      expect(() => compiled({ redis })).toThrow('passwordFile or passwordVariable')
      expect(() => compiled({ redis })).not.toThrow('hush')
    }
  })

  test('has a revision that changes with everything, and a hash of rules that replicas do not change', () => {
    const section = edgeConfig.parse({ routes: { '/*': fine } })
    const one = compilePolicy(section, ground)
    const moved = compilePolicy(section, {
      ...ground,
      upstreams: [
        { name: 'web', targets: [{ id: 'web/2', origin: 'http://127.0.0.1:3001' }], healthPath: '/healthz' },
      ],
    })
    const changed = compile({ routes: { '/*': { ...fine, limit: '6/min per ip' } } })
    expect(compilePolicy(section, ground)).toEqual(one)
    expect(new Set([one, moved, changed].map(({ revision }) => revision)).size).toBe(3)
    expect(rulesHash(moved)).toBe(rulesHash(one))
    expect(rulesHash(changed)).not.toBe(rulesHash(one))
  })

  test('resolves the paths of certificates', () => {
    const section = edgeConfig.parse({
      listen: [{ port: 443, tls: { certificate: 'tls/a.pem', key: '/b.pem' } }],
    })
    const policy = compilePolicy(section, { ...ground, directory: '/srv/arcade' })
    expect(policy.listeners[0]?.tls).toEqual({ certificate: '/srv/arcade/tls/a.pem', key: '/b.pem' })
  })
})

describe('what is wrong has a path and a way out', () => {
  test.each<[string, object, string, RegExp]>([
    ['a route without a limit', { '/*': { to: 'web' } }, 'edge.routes./*.limit', /unlimited/],
    [
      'a route with nothing but a dry run',
      { '/*': { ...fine, limit: 'dry run 5/min' } },
      'edge.routes./*.limit',
      /add a limit/,
    ],
    [
      'a limit and a waiver',
      { '/*': { ...fine, unlimited: { because: 'a trial', until: '2099-01-01' } } },
      'edge.routes./*.unlimited',
      /one of the two/,
    ],
    [
      'a limit that cannot be read',
      { '/*': { ...fine, limit: '5 per minute' } },
      'edge.routes./*.limit',
      /5\/min/,
    ],
    ['the second of several', { '/*': { ...fine, limit: ['5/min', 'x'] } }, 'edge.routes./*.limit.1', /./],
    [
      'something that is nothing to count by here',
      { '/*': { ...fine, limit: '5/min per clinet' } },
      'edge.routes./*.limit',
      /did you mean "client"/,
    ],
    [
      'a request that costs more than there ever is',
      { '/*': { ...fine, cost: 50 } },
      'edge.routes./*.limit',
      /burst 50/,
    ],
    [
      'a window that cannot give so much at once',
      { '/*': { to: 'web', limit: '1000 in any hour', cost: mostWindowCost + 1 } },
      'edge.routes./*.limit',
      /at most \d+ at once/,
    ],
    [
      'messages that go on for a while',
      { '/*': { ...fine, messages: '2 at once per ip' } },
      'edge.routes./*.messages',
      /how many/,
    ],
    [
      'messages that queue',
      { '/*': { ...fine, messages: '5/s per ip queue 3 for 1s' } },
      'edge.routes./*.messages',
      /queue/,
    ],
    [
      'a rule and its own dry run',
      { '/*': { ...fine, limit: ['5/min', 'dry run 5/min'] } },
      'edge.routes./*.limit',
      /out/,
    ],
    ['a rule twice', { '/*': { ...fine, limit: ['5/min', '5/min'] } }, 'edge.routes./*.limit', /out/],
    ['an unknown service', { '/*': { ...fine, to: 'wbe' } }, 'edge.routes./*.to', /did you mean "web"/],
    ['a route twice', { '/users/:id': fine, '/Users/:name/': fine }, 'edge.routes./Users/:name/', /out/],
    ['a method that is none', { 'PSOT /a': fine }, 'edge.routes.PSOT /a', /did you mean "POST"/],
    ['a method in lower case', { 'get /a': fine }, 'edge.routes.get /a', /did you mean "GET"/],
    ['no path', { 'example.com': fine }, 'edge.routes.example.com', /POST \/login/],
    ['a host with a port', { 'example.com:80/a': fine }, 'edge.routes.example.com:80/a', /without a port/],
    ['a star in the middle', { '/a/*/b': fine }, 'edge.routes./a/*/b', /last/],
    ['a dot part', { '/a/../b': fine }, 'edge.routes./a/../b', /./],
    ['a query', { '/a?b': fine }, 'edge.routes./a?b', /./],
  ])('%s', (...[, routes, path, hint]) => {
    const error = errorOf({ routes })
    expect(error.path).toBe(path)
    expect(error.message).toContain(path)
    expect(error.hint).toMatch(hint)
    expect(error.kind).toBe('user')
  })

  test('the limit of what no route matches', () => {
    expect(errorOf({ unmatched: 'often' }).path).toBe('edge.unmatched')
    expect(errorOf({ unmatched: 'dry run 5/min' }).path).toBe('edge.unmatched')
  })

  test('limits that belong to no route', () => {
    expect(errorOf({ errors: '5 at once per ip' }).path).toBe('edge.errors')
    expect(errorOf({ upgrades: '5/min per ip queue 3 for 1s' }).path).toBe('edge.upgrades')
    expect(errorOf({ identity: {} }).path).toBe('edge.identity')
    expect(errorOf({ identity: { passport: true, verifications: 'x' } }).path).toBe(
      'edge.identity.verifications',
    )
  })

  test('listeners', () => {
    expect(errorOf({ listen: [{ port: 80 }, { port: 80 }] }).path).toBe('edge.listen.1')
    const both = { port: 443, tls: { certificate: 'a', key: 'b' }, redirectTo: 443 }
    expect(errorOf({ listen: [both] }).path).toBe('edge.listen.0.redirectTo')
  })

  test('keys that nobody knows, numbers out of range', () => {
    for (const section of [
      { rotues: {} },
      { routes: { '/*': { ...fine, limits: 'x' } } },
      { listen: [{ port: 0 }] },
      { listen: [] },
      { routes: { '/*': { ...fine, maxBody: '10 apples' } } },
      { routes: { '/*': { ...fine, idleTimeout: '1ms' } } },
      { trustProxies: ['10.0.0.0/33'] },
      { trustProxies: ['proxy.example'] },
      { keys: 10 },
      { allow: ['monitor'] },
      { rateLimitFields: 'draft-6' },
      { identity: { jwt: { jwks: 'http://login.example/keys' } } },
      { identity: { session: {} } },
      { identity: { session: { secretFile: 'a', secretVariable: 'B' } } },
      { identity: { apiKeys: { file: 'keys.json', header: 'x key' } } },
    ]) {
      expect(edgeConfig.safeParse(section).success).toBe(false)
    }
  })
})

test('a waiver holds until the end of its last day', () => {
  const until = '2026-03-31'
  const section = edgeConfig.parse({
    routes: { '/*': { to: 'web', unlimited: { because: 'a trial', until } } },
  })
  expect(findExpiredWaivers(section, Date.UTC(2026, 2, 31, 23, 59))).toEqual([])
  expect(findExpiredWaivers(section, Date.UTC(2026, 3, 1))).toMatchObject([
    { path: 'edge.routes./*.unlimited.until' },
  ])
  expect(compilePolicy(section, ground).routes[0]?.limits).toEqual([])
})

test('a service that hands out keys is watched, even if no request goes there', () => {
  const routes = { '/*': { to: 'web', limit: '1/s' } }
  const section = edgeConfig.parse({ routes, identity: { jwt: { jwks: { service: 'login', path: '/k' } } } })
  const login = { name: 'login', targets: [], healthPath: '/healthz' }
  const { identity, upstreams } = compilePolicy(section, {
    ...ground,
    upstreams: [...ground.upstreams, login],
  })
  expect(identity?.jwt?.jwks).toEqual({ service: 'login', path: '/k' })
  expect(upstreams.map(({ name }) => name)).toContain('login')
})

test('users are known by what the section says, with paths from where the file lies', () => {
  const section = edgeConfig.parse({
    identity: {
      jwt: {
        jwks: 'https://login.example/keys',
        issuer: 'https://login.example',
        audience: 'shop',
        from: { cookie: 'id' },
      },
      apiKeys: { file: './api-keys.json' },
      session: { secretFile: 'secret' },
      passport: true,
    },
  })
  const { identity, limits } = compilePolicy(section, { ...ground, directory: '/srv/shop' })
  expect(identity).toMatchObject({
    jwt: {
      jwks: 'https://login.example/keys',
      audience: ['shop'],
      claim: 'sub',
      from: { kind: 'cookie', name: 'id' },
    },
    apiKeys: { header: 'x-api-key', file: '/srv/shop/api-keys.json' },
    session: { cookie: 'connect.sid', secret: { kind: 'file', file: '/srv/shop/secret' } },
    passport: true,
  })
  expect(limits[identity?.verificationLimit ?? -1]?.rule).toBe('600/min per ip')
  expect(limits[identity?.passportLimit ?? -1]?.rule).toBe('6/day per ip')
})

test('names of proxies stand for their networks, and who trusts everybody is told', () => {
  const section = edgeConfig.parse({
    trustProxies: ['cloudflare', 'loopback', '192.0.2.1', '0.0.0.0/0', '::/3'],
  })
  const { trustProxies } = compilePolicy(section, ground)
  expect(trustProxies).toEqual(
    expect.arrayContaining(['173.245.48.0/20', '2606:4700::/32', '127.0.0.0/8', '192.0.2.1']),
  )
  expect(findBroadTrust(section)).toMatchObject([
    { path: 'edge.trustProxies.3', message: expect.stringContaining('everybody') as string },
    { path: 'edge.trustProxies.4' },
  ])
  for (const name of knownProxyNames) for (const range of knownProxies[name]) createTrust([range])
})
