import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ask, contextOf } from '../../../test/support/context.ts'
import type { EdgeReport, LimitRollUp, RouteRollUp } from '../../contracts/edge-policy.ts'
import { limitsFacts } from '../../contracts/limits.ts'
import type { Capability } from '../../kernel/capability/index.ts'
import { openSeries, type SeriesStore } from '../../kernel/series/index.ts'
import { HoldfastError, seededRandom, virtualClock, type VirtualClock } from '../../kernel/std/index.ts'
import { factFrom, memoryTimeline, type Timeline } from '../../kernel/timeline/index.ts'
import { edge } from './index.ts'
import { FakeEdge } from './fake-edge.test-support.ts'
import type { UpstreamState } from './ports.ts'

const section = edge.config.parse({
  routes: {
    'POST /login': { to: 'web', limit: '5/min per ip' },
    '/*': { to: 'web', limit: ['100/s per ip', 'dry run 10/s per ip'] },
  },
})
const login = { name: 'edge.route.POST /login', rule: '5/min per ip' }

const limited = (refused: number): LimitRollUp[] => [{ ...login, admitted: 1, refused, wouldRefuse: 0 }]

function routed(parts: Partial<RouteRollUp> = {}): RouteRollUp[] {
  const none = { requests: 0, refused: 0, wouldRefuse: 0, originFailures: 0, bytesIn: 0, bytesOut: 0 }
  const latency = { count: 0, sum: 0, minimum: 0, maximum: 0, buckets: {} }
  return [{ route: '/*', ...none, classes: [0, 0, 0, 0, 0], latency, ...parts }]
}

let clock: VirtualClock
let timeline: Timeline
let series: SeriesStore
let plane: FakeEdge
let targets: UpstreamState['targets']
let listeners: (() => void)[]
const running: Capability[] = []

beforeEach(async () => {
  clock = virtualClock(Date.UTC(2026, 0, 1))
  timeline = memoryTimeline({ clock, random: seededRandom(1) })
  series = await openSeries({ path: null, clock })
  plane = new FakeEdge(clock)
  targets = [{ id: 'web/1', origin: 'http://127.0.0.1:3000' }]
  listeners = []
})

afterEach(async () => {
  await stopAll()
  await series.close()
})

async function stopAll(): Promise<void> {
  for (const capability of running.splice(0)) await capability.stop()
}

async function start(): Promise<Capability> {
  const upstreams = {
    current: () => [{ name: 'web', targets, healthPath: null }],
    subscribe: (listener: () => void) => void listeners.push(listener),
    sentTo: () => undefined,
  }
  const capability = edge.create(
    { name: 'arcade', directory: '/', section },
    contextOf({ timeline, series, clock }),
    {
      dataPlane: plane,
      upstreams,
    },
  )
  running.push(capability)
  await capability.start()
  await clock.advance(0)
  return capability
}

async function known(): Promise<void> {
  for (const listener of listeners) listener()
  await clock.advance(0)
}

/** Lets seconds pass, each with a report. */
async function pass(seconds: number, parts: Partial<EdgeReport> = {}): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await clock.advance(1000)
    plane.report(parts)
  }
  await clock.advance(1000)
}

const kinds = async (prefix = 'edge.'): Promise<string[]> =>
  (await timeline.read({})).map(({ kind }) => kind).filter((kind) => kind.startsWith(prefix))

describe('policies', () => {
  test('are pushed once the replicas are known, and again when they change; only rules are worth a fact', async () => {
    await start()
    await clock.advance(3000)
    expect(plane.applied).toHaveLength(0)
    await known()
    expect(plane.applied).toHaveLength(1)
    expect(await kinds()).toEqual(['edge.policy-accepted'])
    targets = [{ id: 'web/1', origin: 'http://127.0.0.1:3001' }]
    await known()
    expect(plane.applied).toHaveLength(2)
    expect(plane.applied[1]?.upstreams[0]?.targets).toEqual([{ ...targets[0], group: '', weight: 100 }])
    expect(await kinds()).toEqual(['edge.policy-accepted'])
  })

  test('an edge that serves keeps what it has while the replicas are not known', async () => {
    plane.revision = 'of before'
    await start()
    await clock.advance(60_000)
    expect(plane.applied).toHaveLength(0)
  })

  test('an edge that knows nothing gets one in the end, so that it can at least say why it cannot serve', async () => {
    await start()
    await clock.advance(15_000)
    expect(plane.applied).toHaveLength(1)
  })

  test('an edge that lost its policy gets it again', async () => {
    await start()
    await known()
    plane.revision = null
    await clock.advance(6000)
    expect(plane.applied).toHaveLength(2)
  })

  test('an edge that is away is waited for; one that refuses is said, once', async () => {
    plane.isDead = true
    await start()
    await known()
    await clock.advance(5000)
    expect(await kinds()).toEqual([])
    plane.isDead = false
    plane.refusal = new HoldfastError({
      code: 'edge.certificate-invalid',
      kind: 'user',
      message: 'no certificate',
    })
    await clock.advance(30_000)
    expect(await kinds()).toEqual(['edge.policy-refused'])
    plane.refusal = null
    await clock.advance(6000)
    expect(await kinds()).toEqual(['edge.policy-refused', 'edge.policy-accepted'])
  })
})

describe('reports', () => {
  test('become measures, each second once, also over a restart of control', async () => {
    await start()
    await pass(3, { limits: limited(2), routes: routed({ requests: 4, classes: [0, 3, 0, 0, 1] }) })
    await stopAll()
    await start()
    await pass(2, { limits: limited(2) })
    const sum = async (name: string, labels = {}) =>
      (
        await series.query({
          name,
          labels,
          from: clock.now() - 60_000,
          to: clock.now() + 1000,
          maxPoints: 200,
        })
      )
        .flatMap(({ points }) => points)
        .reduce((total, point) => total + point.sum, 0)
    expect(await sum('edge.requests', { route: '/*', class: '2xx' })).toBe(9)
    expect(await sum('edge.requests', { class: '5xx' })).toBe(3)
    expect(await sum('edge.refused', { limit: login.name })).toBe(10)
    expect(await sum('edge.admitted')).toBe(5)
  })

  test('a limit that bites is said when it begins and a minute after it ends', async () => {
    await start()
    await pass(3, { limits: limited(2) })
    await pass(30, { limits: limited(0) })
    await pass(1, { limits: limited(5) })
    expect(await kinds('edge.limit')).toEqual(['edge.limit-bit'])
    await pass(61)
    expect(await kinds('edge.limit')).toEqual(['edge.limit-bit', 'edge.limit-eased'])
    const eased = (await timeline.read({})).at(-1)
    expect(eased).toMatchObject({
      subject: `limit:${login.name}`,
      data: { limit: login.name, refused: 11 },
    })
  })

  test('a limit that bites over a restart of control is not said twice, and its refusals are all counted', async () => {
    await start()
    await pass(3, { limits: limited(2) })
    await stopAll()
    await start()
    await pass(2, { limits: limited(1) })
    await pass(62)
    const facts = (await timeline.read({})).filter(({ kind }) => kind.startsWith('edge.limit'))
    expect(facts.map(({ kind }) => kind)).toEqual(['edge.limit-bit', 'edge.limit-eased'])
    expect(facts[1]?.data).toMatchObject({ refused: 8 })
  })

  test('a service that fails is said, and that it answers again', async () => {
    await start()
    await pass(2, { routes: routed({ requests: 3, classes: [0, 0, 0, 0, 3], originFailures: 3 }) })
    await pass(20)
    expect(await kinds('edge.origin')).toEqual(['edge.origin-failed'])
    await pass(1, { routes: routed({ requests: 1, classes: [0, 1, 0, 0, 0] }) })
    expect(await kinds('edge.origin')).toEqual(['edge.origin-failed', 'edge.origin-recovered'])
  })

  test('what the edge noticed is said', async () => {
    await start()
    await pass(1, { happened: [{ what: 'certificate-refused', file: '/a.pem', message: 'rubbish' }] })
    expect(await kinds()).toContain('edge.certificate-refused')
  })

  test('a proxy that nobody trusts is said once, with what to write', async () => {
    await start()
    const peers = [{ address: '172.17.0.1', requests: 30 }]
    await pass(3, { routes: routed({ requests: 50 }), lookAlikes: peers })
    expect(await kinds('edge.clients')).toEqual([])
    await pass(3, { routes: routed({ requests: 50 }), lookAlikes: peers })
    await pass(5, { routes: routed({ requests: 50 }), lookAlikes: peers })
    const facts = (await timeline.read({})).filter(({ kind }) => kind === 'edge.clients-look-alike')
    expect(facts).toHaveLength(1)
    expect(facts[0]?.data).toMatchObject({ address: '172.17.0.1', percent: 60 })
    expect(JSON.stringify(facts[0]?.data)).toContain("trustProxies: ['172.17.0.1']")
  })

  test('a control that was away for too long says what is lost; a new edge process loses nothing', async () => {
    await start()
    await pass(3)
    plane.edgeId = 'edge-2'
    plane.reportsKept = []
    await clock.advance(8000)
    await pass(3)
    expect(await kinds('edge.reports')).toEqual([])
    await stopAll()
    await clock.advance(20_000)
    plane.reportsKept = []
    plane.report({ number: 30 })
    await start()
    await clock.advance(2000)
    expect(await kinds('edge.reports')).toEqual(['edge.reports-missed'])
  })
})

describe('bans', () => {
  const until = Date.UTC(2026, 0, 2)
  const ban = (subject: string) => ({ subject, until, because: 'it guesses passwords' })

  test('reach the edge at once, without being news about its rules', async () => {
    await start()
    for (const listener of listeners) listener()
    await clock.advance(1000)
    expect(plane.applied.at(-1)?.bans).toEqual([])
    await timeline.append([factFrom(limitsFacts.banned, ban('user:42'))])
    await timeline.append([factFrom(limitsFacts.banned, ban('ip:203.0.113.0/24'))])
    await clock.advance(100)
    expect(plane.applied.at(-1)?.bans).toEqual([ban('ip:203.0.113.0/24'), ban('user:42')])
    await timeline.append([factFrom(limitsFacts.unbanned, { subject: 'user:42', because: 'a mistake' })])
    await clock.advance(100)
    expect(plane.applied.at(-1)?.bans).toEqual([ban('ip:203.0.113.0/24')])
    expect(await kinds('edge.policy')).toEqual(['edge.policy-accepted'])
  })
})

describe('operations', () => {
  test('show routes, limits and traffic of the last minute', async () => {
    const capability = await start()
    await known()
    const latency = { count: 6, sum: 60, minimum: 9, maximum: 11, buckets: { '307': 6 } }
    const routes = routed({ requests: 6, classes: [0, 3, 0, 0, 3], bytesOut: 600, latency })
    await pass(10, { routes, limits: limited(3), unhealthyTargets: ['web/2'] })
    const traffic = await ask(capability, 'edge.traffic')
    expect(traffic).toMatchObject({
      requestsPerSecond: 1,
      errorShare: 0.5,
      connections: 1,
      biting: [login.name],
    })
    expect(traffic['unhealthyTargets']).toEqual(['web/2'])
    expect(traffic['says']).toContain('1 limit bites')
    const { routes: shown } = (await ask(capability, 'edge.routes')) as { routes: Record<string, unknown>[] }
    expect(shown.map(({ name }) => name)).toEqual(['POST /login', '/*', '(unmatched)'])
    expect(shown[1]).toMatchObject({
      to: 'web',
      limits: ['100/s per ip', 'dry run 10/s per ip'],
      errorShare: 0.5,
    })
    const { limits } = (await ask(capability, 'edge.limits')) as { limits: Record<string, unknown>[] }
    expect(limits[0]).toMatchObject({ ...login, route: 'POST /login', dryRun: false })
    expect(limits[0]?.['refused']).toEqual({ lastMinute: 30, lastHour: 30 })
    expect(limits.map(({ dryRun }) => dryRun)).toEqual([false, false, true, false, false, false])
    expect(traffic).not.toHaveProperty('groups')
    await clock.advance(70_000)
    expect(await ask(capability, 'edge.traffic')).toMatchObject({
      requestsPerSecond: 0,
      reportedAt: null,
      p95Ms: null,
    })
  })

  test('show groups while a service has more than one; what they did can be read as series', async () => {
    targets = [
      { id: 'web/1', origin: 'http://127.0.0.1:3000', group: 'old' },
      { id: 'web/2', origin: 'http://127.0.0.1:3001', group: 'new', weight: 10 },
    ]
    const capability = await start()
    await known()
    expect(plane.applied[0]?.upstreams[0]?.targets.map(({ group, weight }) => [group, weight])).toEqual([
      ['old', 100],
      ['new', 10],
    ])
    const latency = { count: 4, sum: 40, minimum: 9, maximum: 11, buckets: { '307': 4 } }
    const none = { count: 0, sum: 0, minimum: 0, maximum: 0, buckets: {} }
    const groups = [
      { upstream: 'web', group: 'old', requests: 12, failures: 0, latency },
      { upstream: 'web', group: 'new', requests: 6, failures: 3, latency: none },
    ]
    const from = clock.now()
    await pass(10, { groups })
    const { groups: shown } = await ask(capability, 'edge.traffic')
    expect(shown).toEqual([
      { service: 'web', group: 'old', requestsPerSecond: 2, errorShare: 0, p95Ms: expect.closeTo(10, 0) },
      { service: 'web', group: 'new', requestsPerSecond: 1, errorShare: 0.5, p95Ms: null },
    ])
    const read = async (name: string, group: string) => {
      const labels = { service: 'web', group }
      const [answer] = await series.query({ name: `edge.group.${name}`, labels, from, to: clock.now() })
      const points = answer?.points ?? []
      return [answer?.kind, answer?.stepMs, points.reduce((sum, point) => sum + point.sum, 0)]
    }
    expect(await read('requests', 'new')).toEqual(['counter', 1000, 60])
    expect(await read('failures', 'new')).toEqual(['counter', 1000, 30])
    expect(await read('latency-ms', 'old')).toEqual(['distribution', 1000, 400])
    expect(await read('failures', 'old')).toEqual([undefined, undefined, 0])
  })
})
