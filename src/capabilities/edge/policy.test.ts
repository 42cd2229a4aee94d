import { describe, expect, test } from 'vitest'
import { edgePolicy } from '../../contracts/edge-policy.ts'
import { asHoldfastError, type HoldfastError } from '../../kernel/std/index.ts'
import { edgeConfig } from './config.ts'
import { compilePolicy, findExpiredWaivers, rulesHash } from './policy.ts'

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
      'something to count by that is not there yet',
      { '/*': { ...fine, limit: '5/min per user' } },
      'edge.routes./*.limit',
      /per ip/,
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
