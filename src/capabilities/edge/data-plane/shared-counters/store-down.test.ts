import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit } from '../../../../kernel/limit/index.ts'
import { seededRandom, virtualClock, type VirtualClock } from '../../../../kernel/std/index.ts'
import {
  createSharedCounters,
  localShare,
  type SharedCounters,
  type SharedVerdict,
  type WhenDown,
} from './index.ts'
import { createModelStore, type ModelStore } from './model-store.test-support.ts'

interface Edge {
  readonly clock: VirtualClock
  readonly store: ModelStore
  readonly counters: SharedCounters
  readonly changes: string[]
  readonly take: (key?: string) => Promise<SharedVerdict>
}

const timeoutMs = 75

function makeEdge(limits: Readonly<Record<string, WhenDown>>, seed = 1, clock = virtualClock()): Edge {
  const store = createModelStore({ now: () => clock.now(), travel: () => clock.sleep(timeoutMs / 2) })
  const named = Object.entries(limits).map(([text, whenDown]) => ({
    name: text,
    rule: parseLimit(text),
    whenDown,
  }))
  const changes: string[] = []
  const counters = createSharedCounters({
    limits: named,
    sharing: { mode: 'exact', edges: 2, threads: 1, sliceMs: 1000 },
    store,
    alone: createLimiter({
      limits: named.map(({ name, rule }) => ({ name, rule: localShare(rule, 2) })),
      capacity: 100,
      seed: [1, 2],
    }),
    clock,
    random: seededRandom(seed),
    onChange: (isUp, why) => changes.push(isUp ? 'back' : `lost: ${why}`),
  })
  const take = async (key = 'k'): Promise<SharedVerdict> => {
    const verdict = counters.take(
      named.map((_, limit) => ({ limit, key })),
      clock.now(),
    )
    if (verdict instanceof Promise) await clock.advance(timeoutMs)
    return await verdict
  }
  return { clock, store, counters, changes, take }
}

describe('without its store', () => {
  test('an edge keeps its share, and after three failures nobody waits', async () => {
    const { store, counters, changes, take, clock } = makeEdge({ '10/hour': 'local-share' })
    store.behaviour = 'fails'
    for (let turn = 0; turn < 3; turn++) expect((await take()).admitted).toBe(true)
    expect(changes).toEqual(['lost: It is down.'])
    expect(counters.isUp).toBe(false)
    const callsMade = store.calls
    const sync = [1, 2, 3].map(() => counters.take([{ limit: 0, key: 'k' }], clock.now()))
    expect(sync.map((verdict) => !(verdict instanceof Promise) && verdict.admitted)).toEqual([
      true,
      true,
      false,
    ])
    expect(store.calls).toBe(callsMade)
  })

  test('it is open where the limit says so, and closed where it says that', async () => {
    const opened = makeEdge({ '1/hour': 'open' })
    opened.store.behaviour = 'fails'
    for (let turn = 0; turn < 5; turn++) expect((await opened.take()).admitted).toBe(true)
    const closed = makeEdge({ '1000/hour': 'closed', '999/hour': 'open' })
    closed.store.behaviour = 'fails'
    expect(await closed.take()).toMatchObject({ admitted: false, refusedBy: 0, retryAfterMs: 1000 })
    const dry = makeEdge({ 'dry run 1000/hour': 'closed' })
    dry.store.behaviour = 'fails'
    expect(await dry.take()).toMatchObject({ admitted: true })
  })

  test('one slow answer is no outage', async () => {
    const { store, counters, take } = makeEdge({ '10/hour': 'local-share' })
    for (let turn = 0; turn < 6; turn++) {
      store.behaviour = turn % 3 === 2 ? 'answers' : 'fails'
      await take()
    }
    expect(counters.isUp).toBe(true)
  })

  test('it looks for the store seldom, and counts together with the others as soon as it is back', async () => {
    const { store, counters, changes, take, clock } = makeEdge({ '4/hour': 'local-share' })
    store.behaviour = 'fails'
    for (let turn = 0; turn < 3; turn++) await take(`other ${turn}`)
    const callsMade = store.calls
    await clock.advance(60_000)
    expect(store.calls - callsMade).toBeGreaterThan(10)
    expect(store.calls - callsMade).toBeLessThan(30)
    store.behaviour = 'answers'
    await clock.advance(6000)
    expect(counters.isUp).toBe(true)
    expect(changes).toEqual(['lost: It is down.', 'back'])
    const verdicts = []
    for (let turn = 0; turn < 5; turn++) verdicts.push((await take()).admitted)
    expect(verdicts).toEqual([true, true, true, true, false])
    counters.close()
  })

  test('edges do not come back in step', async () => {
    const clock = virtualClock()
    const edges = Array.from({ length: 20 }, (_, seed) => makeEdge({ '1/s': 'local-share' }, seed, clock))
    for (const { store } of edges) store.behaviour = 'fails'
    for (const { counters } of edges) {
      for (let turn = 0; turn < 3; turn++) void counters.take([{ limit: 0, key: 'k' }], clock.now())
    }
    await clock.advance(20_000)
    for (const { store } of edges) store.behaviour = 'answers'
    const backAtMs = new Set<number>()
    for (let at = 0; at < 60; at++) {
      const before = edges.filter(({ counters }) => counters.isUp).length
      await clock.advance(100)
      if (edges.filter(({ counters }) => counters.isUp).length > before) backAtMs.add(at)
    }
    expect(edges.every(({ counters }) => counters.isUp)).toBe(true)
    expect(backAtMs.size).toBeGreaterThan(8)
    for (const { counters } of edges) counters.close()
  })
})

describe('a refusal', () => {
  test('stands without asking again, but never longer than it says', async () => {
    const { store, take, clock, counters } = makeEdge({ '2/s': 'local-share' })
    await take()
    await take()
    const refused = await take()
    expect(refused.admitted).toBe(false)
    const callsMade = store.calls
    const again = counters.take([{ limit: 0, key: 'k' }], clock.now())
    expect(again).toMatchObject({ admitted: false, refusedBy: 0 })
    expect(store.calls).toBe(callsMade)
    await clock.advance((again as SharedVerdict).retryAfterMs)
    expect((await take()).admitted).toBe(true)
  })

  test('by one limit takes nothing from the others', async () => {
    const { store, take, counters } = makeEdge({ '5/hour': 'local-share', '2/hour': 'local-share' })
    for (let turn = 0; turn < 4; turn++) await take()
    expect(store.admitted.map(({ units }) => units)).toEqual([1, 1, 1, 1])
    expect(counters.counts()).toEqual([
      { admitted: 2, refused: 0, wouldRefuse: 0 },
      { admitted: 2, refused: 2, wouldRefuse: 0 },
    ])
  })

  test('asked for twice in one request costs twice', async () => {
    const { counters, clock } = makeEdge({ '3/hour': 'local-share' })
    const twice = [
      { limit: 0, key: 'k' },
      { limit: 0, key: 'k' },
    ]
    const verdicts = [counters.take(twice, clock.now()), counters.take(twice, clock.now())]
    await clock.advance(timeoutMs)
    expect(
      (await Promise.all(verdicts.map(async (verdict) => await verdict))).map(({ admitted }) => admitted),
    ).toEqual([true, false])
  })
})
