import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../../../../test/support/describe-with.ts'
import { startRedisServer, type RedisServer } from '../../../../test/support/redis-server.ts'
import type { EdgeReport } from '../../../contracts/edge-policy.ts'
import { systemClock } from '../../../kernel/std/index.ts'
import { startOrigin, startTestbed, until, type Testbed, type TestOrigin } from './testbed.test-support.ts'

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
    for (let edge = 0; edge < 2; edge++) {
      beds.push(await startTestbed({ section: written, origins: { web: [origin.url] }, threads: 2 }))
    }
    // A thread connects while the first policy is prepared.
    for (let turn = 0; turn < 200; turn++) {
      if (
        String(await server.client.client('LIST'))
          .trim()
          .split('\n').length >=
        1 + 4
      )
        break
      await systemClock.sleep(20)
    }
    return beds
  }

  async function statuses(all: readonly Testbed[], requests: number): Promise<readonly number[]> {
    const seen: number[] = []
    for (let turn = 0; turn < requests; turn++) {
      const response = await fetch(all[turn % all.length]?.url ?? '')
      await response.text()
      seen.push(response.status)
    }
    return seen
  }

  const countOf = (seen: readonly number[], status: number): number =>
    seen.filter((each) => each === status).length

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
})
