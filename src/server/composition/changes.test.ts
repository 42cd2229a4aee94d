import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, type Json } from '../../kernel/std/index.ts'
import { describeChanges, needsNewSockets } from './changes.ts'
import type { EnvironmentFile } from './config.ts'
import { override, parseEnvironment } from './load.ts'

const base = {
  name: 'arcade',
  services: {
    web: { command: ['node', 'web.ts'] },
    mailer: { command: ['node', 'mailer.ts'], listens: false },
  },
  edge: { routes: { '/*': { to: 'web', limit: '120/min per ip' } } },
  people: { ada: { role: 'view' } },
}

function changesTo(after: object): readonly string[] {
  return describeChanges(parseEnvironment(base), parseEnvironment({ ...base, ...after }))
}

const name = fc.constantFrom('web', 'api', 'mailer', 'constructor', 'to-string', 'a')
const serviceData = fc.record(
  {
    command: fc.array(fc.constantFrom('node', 'web.ts', '--flag', 'é'), { minLength: 1, maxLength: 4 }),
    health: fc.constantFrom('/', '/healthz'),
    replicas: fc.integer({ min: 1, max: 5 }),
    env: fc.dictionary(fc.constantFrom('A', 'B', 'constructor', 'toString'), fc.string(), { maxKeys: 3 }),
    passEnv: fc.array(fc.constantFrom('HOME', 'TOKEN'), { maxLength: 2 }),
    startTimeout: fc.constantFrom('1s', '5s', '1min'),
  },
  { requiredKeys: ['command'] },
)
const limit = fc.constantFrom('1/s', '120/min per ip burst 60', '2 at once per ip', '5 in any hour per ip')

/** Any environment file that is valid. */
const environmentData = fc
  .record({
    name: fc.constantFrom('arcade', 'stage'),
    services: fc.dictionary(name, serviceData, { minKeys: 1, maxKeys: 4 }),
    people: fc.dictionary(name, fc.record({ role: fc.constantFrom('view', 'operate') }), { maxKeys: 3 }),
    paths: fc.uniqueArray(fc.constantFrom('/*', 'GET /a', 'POST /login', '/b/:id'), { maxLength: 4 }),
    limit,
    ports: fc.uniqueArray(fc.integer({ min: 1024, max: 65_000 }), { minLength: 1, maxLength: 3 }),
    keepFor: fc.constantFrom('1d', '400d'),
  })
  .map(({ paths, limit, ports, keepFor, ...rest }) => {
    const [to = ''] = Object.keys(rest.services)
    const routes = Object.fromEntries(paths.map((path) => [path, { to, limit }]))
    const edge = { routes, listen: ports.map((port) => ({ port })) }
    return { ...rest, edge, timeline: { keepFor } }
  })

const same = (a: EnvironmentFile, b: EnvironmentFile): boolean =>
  canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json)

/** The same data with the keys of every object in the opposite order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, turned(item)]),
  )
}

describe('what has changed, in words', () => {
  test.each([
    [{ name: 'stage' }, 'environment name is changed'],
    [{ services: { web: base.services.web } }, 'service mailer is gone'],
    [{ services: { ...base.services, api: { command: ['a'] } } }, 'service api is new'],
    [{ services: { ...base.services, constructor: { command: ['a'] } } }, 'service constructor is new'],
    [{ services: { ...base.services, web: { command: ['b'] } } }, 'service web is changed'],
    [{ edge: { routes: { '/*': { to: 'web', limit: '1/s' } } } }, 'route /* is changed'],
    [{ edge: { ...base.edge, trustProxies: ['10.0.0.0/8'] } }, 'edge trustProxies is changed'],
    [{ edge: { ...base.edge, threads: 3 } }, 'edge threads is new'],
    [{ people: { ada: { role: 'operate' } } }, 'person ada is changed'],
    [{ people: {} }, 'person ada is gone'],
    [{ control: { port: 9000 } }, 'control port is changed'],
    [{ timeline: { keepFor: '1d' } }, 'timeline keepFor is changed'],
  ])('%j: %s', (after, says) => {
    expect(changesTo(after)).toEqual([says])
  })

  test('writing out a default is no change', () => {
    const web = { ...base.services.web, replicas: 1, directory: '.', startTimeout: '30s' }
    expect(changesTo({ services: { ...base.services, web }, timeline: {} })).toEqual([])
  })

  test('nothing is said of the same, in whatever order; something of any difference', () => {
    fc.assert(
      fc.property(environmentData, environmentData, (first, second) => {
        const [a, b] = [parseEnvironment(first), parseEnvironment(second)]
        expect(describeChanges(a, a)).toEqual([])
        expect(describeChanges(a, parseEnvironment(turned(first)))).toEqual([])
        expect(describeChanges(a, b).length === 0).toBe(same(a, b))
      }),
    )
  })

  test('there and back: what is new goes, what goes is new, what is changed is changed', () => {
    const back = (says: string): string =>
      says.replace(/ is (new|gone)$/, (_, word) => (word === 'new' ? ' is gone' : ' is new'))
    fc.assert(
      fc.property(environmentData, environmentData, (first, second) => {
        const [a, b] = [parseEnvironment(first), parseEnvironment(second)]
        expect(describeChanges(b, a).map(back).sort()).toEqual([...describeChanges(a, b)].sort())
      }),
    )
  })
})

describe('whether new sockets are needed', () => {
  const needs = (after: object): boolean =>
    needsNewSockets(parseEnvironment(base), parseEnvironment({ ...base, ...after }))

  test.each([
    [{ edge: { ...base.edge, listen: [{ port: 8081 }] } }, true],
    [{ edge: { ...base.edge, listen: [{ port: 8080, host: '0.0.0.0' }] } }, true],
    [{ edge: { ...base.edge, listen: [{ port: 8080 }, { port: 8443 }] } }, true],
    [{ edge: { ...base.edge, threads: 3 } }, true],
    [{ control: { port: 8401 } }, true],
    [{ control: { host: '127.0.0.2' } }, true],
    [{ control: { hosts: ['console.example.com'] } }, false],
    [
      { edge: { ...base.edge, listen: [{ port: 8080, tls: { certificate: 'a.pem', key: 'b.pem' } }] } },
      false,
    ],
    [{ edge: { ...base.edge, routes: {} } }, false],
    [{ services: { ...base.services, api: { command: ['a'] } } }, false],
  ])('%j: %s', (after, expected) => {
    expect(needs(after)).toBe(expected)
  })

  test('never without a change', () => {
    fc.assert(
      fc.property(environmentData, environmentData, (first, second) => {
        const [a, b] = [parseEnvironment(first), parseEnvironment(second)]
        expect(needsNewSockets(a, a)).toBe(false)
        expect(needsNewSockets(a, b) && describeChanges(a, b).length === 0).toBe(false)
      }),
    )
  })
})

describe('ports of the command line', () => {
  test('win over the file: the first listener and control, nothing else', () => {
    const before = parseEnvironment({ ...base, edge: { ...base.edge, listen: [{ port: 81 }, { port: 82 }] } })
    const after = override(before, { edgePort: 9000, controlPort: 9001 })
    expect(after.edge.listen.map(({ port }) => port)).toEqual([9000, 82])
    expect(after.control.port).toBe(9001)
    expect(describeChanges(before, after)).toEqual(['edge listen is changed', 'control port is changed'])
  })

  test('without any, nothing changes', () => {
    fc.assert(
      fc.property(environmentData, (data) => {
        const environment = parseEnvironment(data)
        expect(describeChanges(environment, override(environment, {}))).toEqual([])
      }),
    )
  })
})
