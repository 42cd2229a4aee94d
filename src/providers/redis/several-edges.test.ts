import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../../../test/support/describe-with.ts'
import { startRedisServer, type RedisServer } from '../../../test/support/redis-server.ts'
import {
  createSharedCounters,
  localShare,
  overshootOf,
  type SharedCounters,
  type SharedVerdict,
  type Sharing,
} from '../../capabilities/edge/data-plane/shared-counters/index.ts'
import { createLimiter, parseLimit } from '../../kernel/limit/index.ts'
import { seededRandom, systemClock, type Clock } from '../../kernel/std/index.ts'
import { openCounterStore } from './index.ts'

const edges = 4

interface Admission {
  readonly sentMs: number
  readonly knownMs: number
}

describeWith(['redis-server'], 'several edges on one Redis', (programs) => {
  let server: RedisServer
  const open: SharedCounters[] = []
  let seed = 0

  beforeAll(async () => {
    server = await startRedisServer(programs['redis-server'])
  })
  afterEach(async () => {
    for (const counters of open.splice(0)) counters.close()
    await server.client.flushall()
  })
  afterAll(async () => await server.stop())

  /** An edge whose wall clock may be wrong. */
  async function makeEdge(
    text: string,
    { skewMs = 0, timeoutMs = 5000, ...sharing }: Partial<Sharing> & { skewMs?: number; timeoutMs?: number },
  ): Promise<SharedCounters> {
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + skewMs }
    const random = seededRandom(++seed)
    const store = openCounterStore({ url: server.url, environment: 'test', timeoutMs, clock, random })
    for (let isThere = false; !isThere; await clock.sleep(10)) {
      isThere = await store.probe().then(
        () => true,
        () => false,
      )
    }
    const rule = parseLimit(text)
    const counters = createSharedCounters({
      limits: [{ name: 'test', rule, whenDown: 'local-share' }],
      sharing: { mode: 'exact', edges, threads: 1, sliceMs: 1000, ...sharing },
      store,
      alone: createLimiter({
        limits: [{ name: 'test', rule: localShare(rule, edges) }],
        capacity: 100,
        seed: [1, 2],
      }),
      clock,
      random,
      onChange: () => undefined,
    })
    open.push(counters)
    return counters
  }

  const take = async (counters: SharedCounters, skewMs = 0): Promise<SharedVerdict> =>
    await counters.take([{ limit: 0, key: '203.0.113.7' }], systemClock.now() + skewMs)

  test.each(['100/hour', '100 in any hour', '100 at once'])(
    '%s: edges whose clocks are hours apart give together exactly what there is',
    async (text) => {
      const hour = 3_600_000
      const skews = [0, 5 * hour, -3 * hour, 1234]
      const all = await Promise.all(skews.map((skewMs) => makeEdge(text, { skewMs })))
      const verdicts = await Promise.all(
        all.flatMap((counters, edge) => Array.from({ length: 50 }, () => take(counters, skews[edge]))),
      )
      expect(verdicts.filter(({ admitted }) => admitted)).toHaveLength(100)
    },
  )

  test('places are given back to all', async () => {
    const [one, other] = await Promise.all([makeEdge('1 at once', {}), makeEdge('1 at once', {})])
    const first = await take(one)
    expect((await take(other)).admitted).toBe(false)
    expect(first.lease).not.toBeNull()
    if (first.lease === null) return
    expect(await one.renew(first.lease, systemClock.now())).toBe(true)
    one.release(first.lease, systemClock.now())
    expect(await one.peek(0, '203.0.113.7', systemClock.now())).toMatchObject({ used: 0, limit: 1 })
    expect((await take(other)).admitted).toBe(true)
  })

  test('edges that lease admit in no period more than the rule and the printed bound', async () => {
    const text = '400/s burst 200'
    const sharing: Sharing = { mode: 'lease', edges, threads: 1, sliceMs: 1000 }
    const all = await Promise.all(Array.from({ length: edges }, () => makeEdge(text, sharing)))
    const admissions: Admission[] = []
    let locally = 0
    const endMs = systemClock.monotonicMs() + 4000
    await Promise.all(
      all.map(async (counters, edge) => {
        for (let turn = 0; systemClock.monotonicMs() < endMs; turn++) {
          const sentMs = systemClock.monotonicMs()
          const verdict = counters.take([{ limit: 0, key: 'k' }], systemClock.now())
          const isLocal = !(verdict instanceof Promise)
          if ((await verdict).admitted) {
            admissions.push({ sentMs, knownMs: systemClock.monotonicMs() })
            if (isLocal) locally++
          }
          // Crowds and silences, not in step.
          if (turn % 400 === 399) await systemClock.sleep(150 + 60 * edge)
          else if (turn % 5 === 0) await systemClock.sleep(1)
        }
      }),
    )
    const { units } = overshootOf(parseLimit(text), sharing)
    expect(mostBeyond(admissions, { perMs: 0.4, burst: 200 })).toBeLessThanOrEqual(units)
    expect(locally).toBeGreaterThan(admissions.length / 4)
  })

  test('a store that hangs: requests go on with the share of this edge, and count together again afterwards', async () => {
    const counters = await makeEdge('40/hour', { timeoutMs: 100 })
    await server.kill('SIGSTOP')
    let admitted = 0
    try {
      for (let turn = 0; turn < 100; turn++) if ((await take(counters)).admitted) admitted++
      expect(counters.isUp).toBe(false)
    } finally {
      await server.kill('SIGCONT')
    }
    expect(admitted).toBe(10)
    for (let turn = 0; turn < 1000 && !counters.isUp; turn++) await systemClock.sleep(20)
    expect(counters.isUp).toBe(true)
    expect(await counters.peek(0, 'another', systemClock.now())).toMatchObject({ used: 0, limit: 40 })
  })

  test('a store that is killed and comes back empty', async () => {
    const counters = await makeEdge('40/hour', {})
    await take(counters)
    await server.kill('SIGKILL')
    let admitted = 0
    for (let turn = 0; turn < 100; turn++) if ((await take(counters)).admitted) admitted++
    expect(admitted).toBe(10)
    await server.restart()
    for (let turn = 0; turn < 1000 && !counters.isUp; turn++) await systemClock.sleep(20)
    expect(await counters.peek(0, '203.0.113.7', systemClock.now())).toMatchObject({ used: 0, limit: 40 })
  })
})

/** The most that surely was admitted within any period beyond the rule: only what began and was known within it counts. */
function mostBeyond(
  admissions: readonly Admission[],
  { perMs, burst }: { perMs: number; burst: number },
): number {
  const sorted = admissions.toSorted((a, b) => a.sentMs - b.sentMs)
  let most = Number.NEGATIVE_INFINITY
  for (const [from, { sentMs }] of sorted.entries()) {
    const ends = sorted
      .slice(from)
      .map(({ knownMs }) => knownMs)
      .sort((a, b) => a - b)
    for (const [index, endMs] of ends.entries()) {
      most = Math.max(most, index + 1 - burst - Math.floor((endMs - sentMs) * perMs))
    }
  }
  return most
}
