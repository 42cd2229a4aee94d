import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../../../../test/support/describe-with.ts'
import { startRedisServer, type RedisServer } from '../../../../test/support/redis-server.ts'
import type { EdgeReport } from '../../../contracts/edge-policy.ts'
import { systemClock } from '../../../kernel/std/index.ts'
import { countOf, startTwoEdges, statusesOf } from './shared-edges.test-support.ts'
import { startOrigin, until, type Testbed, type TestOrigin } from './testbed.test-support.ts'

describeWith(['redis-server'], 'two edges that share their limits', (programs) => {
  let server: RedisServer
  let origin: TestOrigin
  const beds: Testbed[] = []
  /** Finish the answers that the origin holds back. */
  const held: (() => void)[] = []

  beforeAll(async () => {
    server = await startRedisServer(programs['redis-server'])
    origin = await startOrigin((request, response) => {
      if (request.url === '/slow') held.push(() => response.end('well'))
      else response.end('well')
    })
  })
  afterEach(async () => {
    for (const bed of beds.splice(0)) await bed.stop()
    await server.client.flushall()
  })
  afterAll(async () => {
    await origin.close()
    await server.stop()
  })

  const section = (limit: string | string[], more: object = {}, route: object = {}): object => ({
    shared: { redis: server.url, edges: 2, ...more },
    routes: { '/*': { to: 'web', limit, ...route } },
  })

  async function startTwo(written: object): Promise<readonly Testbed[]> {
    const all = await startTwoEdges(server, { section: written, origins: { web: [origin.url] } })
    beds.push(...all)
    return all
  }

  const statuses = (all: readonly Testbed[], requests: number): Promise<readonly number[]> =>
    statusesOf(all, { requests })

  const happenedOn = async ({ plane }: Testbed): Promise<readonly EdgeReport[]> =>
    await plane.reports.after(0, 0, new AbortController().signal)

  test.each(['exact', 'lease'])('%s: together they admit what the rule says', async (mode) => {
    const all = await startTwo(section('10/hour per ip', { mode }))
    const seen = await statuses(all, 30)
    expect(countOf(seen, 200)).toBe(10)
    expect(countOf(seen, 429)).toBe(20)
    const refused = async (): Promise<number> => {
      const reports = (await Promise.all(all.map(happenedOn))).flat()
      return reports.flatMap(({ limits }) => limits).reduce((sum, limit) => sum + limit.refused, 0)
    }
    for (let turn = 0; turn < 200 && (await refused()) < 20; turn++) await systemClock.sleep(50)
    expect(await refused()).toBe(20)
  })

  test('what is at once on both is given back when a request ends', async () => {
    const all = await startTwo(section(['1 at once', '1000/s']))
    const [one, other] = all.map(({ url }) => url)
    const slow = fetch(`${one}/slow`)
    while (held.length === 0) await systemClock.sleep(10)
    expect((await fetch(other ?? '')).status).toBe(429)
    for (const finish of held.splice(0)) finish()
    expect((await slow).status).toBe(200)
    // The place is given back behind the answer.
    for (let turn = 0; turn < 200; turn++) {
      if ((await fetch(other ?? '')).status === 200) return
      await systemClock.sleep(20)
    }
    expect.unreachable('the place was not given back')
  })

  test('a route can keep its limits to each edge', async () => {
    const all = await startTwo(section('10/hour per ip', {}, { shared: false }))
    expect(countOf(await statuses(all, 40), 200)).toBe(20)
  })

  test('a store that hangs: each keeps its share; the reports say when it was lost and found', async () => {
    const all = await startTwo(section('10/hour per ip'))
    await server.kill('SIGSTOP')
    try {
      expect(countOf(await statuses(all, 60), 200)).toBe(10)
      for (const { plane } of all)
        await until(() => plane.state().notes.some((note) => note.startsWith('counters lost')))
    } finally {
      await server.kill('SIGCONT')
    }
    for (const { plane } of all) {
      await until(() => plane.state().notes.some((note) => note.startsWith('counters found')), 30_000)
    }
    const said = async (): Promise<readonly string[]> => {
      const reports = (await Promise.all(all.map(happenedOn))).flat()
      return reports.flatMap(({ happened }) => happened).map(({ what }) => what)
    }
    for (let turn = 0; turn < 200 && (await said()).length < 4; turn++) await systemClock.sleep(50)
    expect((await said()).toSorted()).toEqual([
      'counters-found',
      'counters-found',
      'counters-lost',
      'counters-lost',
    ])
  })

  test('a new policy with the same limits goes on with what it has', async () => {
    const all = await startTwo(section('10/hour per ip'))
    expect(countOf(await statuses(all, 4), 200)).toBe(4)
    const before = await server.client.client('LIST')
    for (const bed of all) await bed.apply({ origins: { web: [origin.url, origin.url] } })
    expect(countOf(await statuses(all, 16), 200)).toBe(6)
    const identities = (list: unknown): readonly string[] => String(list).match(/\bid=\d+/g) ?? []
    expect(identities(await server.client.client('LIST'))).toEqual(identities(before))
  })

  test('a route can lease where the others are exact, and the other way round', async () => {
    const routes = {
      '/leased': { to: 'web', limit: '100000/hour', shared: { mode: 'lease' } },
      '/*': { to: 'web', limit: '100000/hour' },
    }
    const all = await startTwo({ shared: { redis: server.url, edges: 2 }, routes })
    const asksOf = async (path: string): Promise<number> => {
      await server.client.config('RESETSTAT')
      await statusesOf(all, { requests: 400, path })
      const text = await server.client.info('commandstats')
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0)
    }
    // Each route asks, and the errors' limit once a second and thread.
    expect(await asksOf('/exact')).toBeGreaterThanOrEqual(400)
    expect(await asksOf('/leased')).toBeLessThan(200)
  })

  test('whoever the store refuses waits where the limit lets wait, in a place of its edge', async () => {
    const all = await startTwo(section('2/s burst 1 queue 2 for 2s'))
    const startedMs = systemClock.monotonicMs()
    const seen = await Promise.all([0, 1, 0, 1, 0, 1].map((edge) => fetch(all[edge]?.url ?? '')))
    const tookMs = systemClock.monotonicMs() - startedMs
    // One at once and one each half second, in places for four.
    const answered = seen.map(({ status }) => status)
    expect([countOf(answered, 200), countOf(answered, 429)]).toEqual([5, 1])
    expect(tookMs).toBeGreaterThan(1900)
    expect(tookMs).toBeLessThan(3500)
  })

  test('whoever leaves while waiting for the store gives back what the edge itself had given', async () => {
    const all = await startTwo(section(['1 at once', '1/s queue 5 for 5s']))
    const [one, other] = all.map(({ url }) => url)
    expect((await fetch(one ?? '')).status).toBe(200)
    const left = new AbortController()
    const gone = fetch(other ?? '', { signal: left.signal }).catch(() => 'gone')
    await systemClock.sleep(300)
    left.abort()
    expect(await gone).toBe('gone')
    expect((await fetch(other ?? '')).status).toBe(200)
  })
})
