import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask, contextOf } from '../../../../test/support/context.ts'
import type { EdgePolicy, EdgeReport, EdgeState } from '../../../contracts/edge-policy.ts'
import type { Capability } from '../../../kernel/capability/index.ts'
import { openSeries, type SeriesStore } from '../../../kernel/series/index.ts'
import { seededRandom, virtualClock, type VirtualClock } from '../../../kernel/std/index.ts'
import { memoryTimeline, type Timeline } from '../../../kernel/timeline/index.ts'
import { edge } from '../index.ts'
import type { DataPlane } from '../ports.ts'

const login = { name: 'edge.route.POST /login', rule: '5/min per ip' }
const section = edge.config.parse({ routes: { 'POST /login': { to: 'web', limit: login.rule } } })

let clock: VirtualClock
let timeline: Timeline
let series: SeriesStore
let kept: EdgeReport[]
const running: Capability[] = []

beforeEach(async () => {
  clock = virtualClock(Date.UTC(2026, 0, 1))
  timeline = memoryTimeline({ clock, random: seededRandom(1) })
  series = await openSeries({ path: null, clock })
  kept = []
})

afterEach(async () => {
  await stopAll()
  await series.close()
})

async function stopAll(): Promise<void> {
  for (const capability of running.splice(0)) await capability.stop()
}

const state: EdgeState = { edgeId: 'e', pid: 1, threads: 1, startedAt: 0, revision: 'r', notes: [] }

/** An edge that keeps its reports. */
const dataPlane: DataPlane = {
  state: async () => state,
  apply: async (policy: EdgePolicy) => ({ ...state, revision: policy.revision }),
  reports: async (after, signal) => {
    const found = (): EdgeReport[] => kept.filter(({ number }) => number > after)
    if (found().length === 0) await clock.sleep(1000, signal)
    return { edgeId: 'e', reports: found() }
  },
}

async function start(): Promise<Capability> {
  const upstreams = {
    current: () => [{ name: 'web', targets: [], healthPath: null }],
    subscribe: () => undefined,
    sentTo: () => undefined,
  }
  const capability = edge.create(
    { name: 'arcade', directory: '/', section },
    contextOf({ timeline, series, clock }),
    {
      dataPlane,
      upstreams,
    },
  )
  running.push(capability)
  await capability.start()
  await clock.advance(0)
  return capability
}

/** Lets seconds pass, each with a report. */
async function pass(seconds: number, parts: Partial<EdgeReport> = {}): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await clock.advance(1000)
    const quiet = { connections: 1, routes: [], limits: [], unhealthyTargets: [], happened: [] }
    const number = kept.length + 1
    kept.push({ number, edgeId: 'e', at: clock.now() - 1000, revision: 'r', ...quiet, ...parts })
  }
  await clock.advance(1000)
}

const offender = {
  limit: login.name,
  rule: login.rule,
  subject: 'ip:203.0.113.7',
  refused: 3,
  admitted: 1,
  wouldRefuse: 0,
  routes: [{ route: 'POST /login', admitted: 1, refused: 3 }],
}
const refusals = async () => (await timeline.read({ kinds: ['limits.refused'] })).map(({ data }) => data)

test('is one fact a minute, and none when nobody was', async () => {
  await start()
  await pass(5, { offenders: [offender] })
  await pass(130)
  expect(await refusals()).toMatchObject([
    { door: 'edge', entries: [{ subject: 'ip:203.0.113.7', refused: 15, admitted: 5 }] },
  ])
})

test('a control that is started anew says a minute whole, and none twice', async () => {
  await start()
  await pass(5, { offenders: [offender] })
  await stopAll()
  await start()
  await pass(60)
  await stopAll()
  await start()
  await pass(60)
  expect(await refusals()).toMatchObject([{ entries: [{ refused: 15 }] }])
})

test('who came near is told, until they are refused', async () => {
  const capability = await start()
  const { limit, rule, subject } = offender
  await pass(2, { nearMisses: [{ limit, rule, subject, seen: 1, share: 0.9 }] })
  expect(await ask(capability, 'edge.near-misses')).toMatchObject({
    says: '1 subject had at least 80 % of a limit in use in the last hour and was not refused; nearest ip:203.0.113.7, 90 % of edge.route.POST /login.',
    nearMisses: [{ seen: 2, share: 0.9 }],
  })
  await pass(1, { offenders: [offender] })
  expect(await ask(capability, 'edge.near-misses')).toMatchObject({ nearMisses: [] })
})

test('who sent most is one fact in five minutes, and known before it is one', async () => {
  const quiet = { classes: [0, 0, 0, 0, 0] as [number, number, number, number, number], refused: 0 }
  const latency = { count: 0, sum: 0, minimum: 0, maximum: 0, buckets: {} }
  const more = { wouldRefuse: 0, originFailures: 0, bytesIn: 0, bytesOut: 0, latency }
  const routes = [{ route: 'POST /login', requests: 4, ...quiet, ...more }]
  const sender = { route: 'POST /login', address: '203.0.113.7', who: '', requests: 40, minute: clock.now() }
  const capability = await start()
  await pass(9, { routes })
  await pass(1, { routes, senders: [sender] })
  const said = [{ routes: [{ requests: [40, 0, 0, 0, 0] }], senders: [{ requests: [40, 0, 0, 0, 0] }] }]
  expect(await ask(capability, 'edge.senders', { since: 0 })).toMatchObject({
    says: 'Of 40 requests ip:203.0.113.7 by POST /login were most, 40.',
    spans: said,
    next: null,
  })
  await stopAll()
  const later = await start()
  await pass(310)
  await stopAll()
  await start()
  await pass(10)
  const facts = await timeline.read({ kinds: ['edge.traffic-counted'] })
  expect(facts.map(({ data }) => data)).toMatchObject(said)
  expect(await ask(later, 'edge.senders', { since: 0 })).toMatchObject({ spans: said, next: null })
})
