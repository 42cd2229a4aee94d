import { expect, test } from 'vitest'
import { edgeOperations } from '../../../contracts/edge.ts'
import { limitsFacts } from '../../../contracts/limits.ts'
import type { Call, Context, JobCall } from '../../../kernel/capability/index.ts'
import { seededRandom, virtualClock } from '../../../kernel/std/index.ts'
import { factFrom, memoryTimeline } from '../../../kernel/timeline/index.ts'
import { bindExplain } from './index.ts'

const start = Date.UTC(2026, 2, 1, 12)
const minuteMs = 60_000
const login = { limit: 'edge.route.POST /login', rule: '5/min per ip', subject: 'ip:203.0.113.7' }

async function setUp(isEdgeAway = false) {
  const clock = virtualClock(start)
  const timeline = memoryTimeline({ clock, random: seededRandom(1) })
  const context = {
    timeline,
    clock,
    call: (operation: { name: string }) =>
      isEdgeAway || operation.name !== edgeOperations.limits.name
        ? Promise.reject(new Error('away'))
        : Promise.resolve({ limits: [{ name: login.limit, rule: login.rule }] }),
  } as unknown as Context
  const entries = [{ ...login, refused: 4, admitted: 1, wouldRefuse: 0, routes: [] }]
  await clock.advance(minuteMs)
  const data = { from: start, until: start + minuteMs, door: 'edge' as const, entries }
  await timeline.append([factFrom(limitsFacts.refused, data)])
  const bindings = bindExplain({ context, own: [] })
  const call = async (name: string, input: object): Promise<Record<string, unknown>> => {
    const found = bindings.find(({ declaration }) => declaration.name === name)
    const caller: Call = {
      caller: { actor: 'test', permission: 'view' },
      signal: AbortSignal.timeout(1000),
      correlation: 'c',
    }
    return (await found?.act(input as never, caller as JobCall)) as Record<string, unknown>
  }
  return { call, clock }
}

test('explain looks an hour around the time asked for, at what the timeline has', async () => {
  const { call, clock } = await setUp()
  const { subject } = login
  expect(await call('limits.explain', { subject })).toMatchObject({
    reachesBackTo: start + minuteMs,
    spells: [{ refused: 4, allows: [login.rule], ended: false }],
  })
  await clock.advance(3 * 3_600_000)
  expect(await call('limits.explain', { subject })).toMatchObject({ spells: [] })
  expect(await call('limits.explain', { subject, at: start })).toMatchObject({ spells: [{ ended: true }] })
})

test('an edge that is away takes nothing from the answer but what its limits are now', async () => {
  const { call } = await setUp(true)
  const { subject } = login
  expect(await call('limits.explain', { subject })).toMatchObject({ spells: [{ refused: 4, allows: [] }] })
})

test('offenders are those of the last hour, or since a time', async () => {
  const { call, clock } = await setUp()
  expect(await call('limits.offenders', {})).toMatchObject({
    subjects: [{ subject: login.subject, refused: 4 }],
  })
  await clock.advance(3 * 3_600_000)
  expect(await call('limits.offenders', {})).toMatchObject({ subjects: [], limits: [] })
  expect(await call('limits.offenders', { since: start })).toMatchObject({
    limits: [{ refused: 4, subjects: 1 }],
  })
})
