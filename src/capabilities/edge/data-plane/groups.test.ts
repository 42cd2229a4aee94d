import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { EdgeReport, GroupRollUp } from '../../../contracts/edge-policy.ts'
import { createStage, type Behaviour, type Testbed } from './testbed.test-support.ts'

const stage = createStage()
const { origin, testbed } = stage
beforeAll(() => stage.open())
afterEach(() => stage.clear())
afterAll(() => stage.close())

const section = { routes: { '/*': { to: 'web', limit: '100000/s per ip' } } }
const well: Behaviour = (_request, response) => void response.end('ok')
const broken: Behaviour = (_request, response) => void response.writeHead(500).end('no')

async function sendMany(url: string, requests: number): Promise<void> {
  const send = async (): Promise<void> => {
    for (let count = 0; count < requests / 10; count++) await (await fetch(url)).text()
  }
  await Promise.all(Array.from({ length: 10 }, send))
}

/** What is reported of what `act` causes. */
async function reportsOf({ plane }: Testbed, act: () => Promise<unknown>): Promise<readonly EdgeReport[]> {
  const after = (number: number) => plane.reports.after(number, 0, AbortSignal.timeout(1000))
  await delay(1100)
  const before = (await after(0)).at(-1)?.number ?? 0
  await act()
  await delay(1200)
  return after(before)
}

type Sum = Pick<GroupRollUp, 'requests' | 'failures'> & { readonly latencies: number }

function sumUp(reports: readonly EdgeReport[]): Record<string, Sum> {
  const sums: Record<string, Sum> = {}
  for (const { upstream, group, requests, failures, latency } of reports.flatMap(
    ({ groups = [] }) => groups,
  )) {
    const before = sums[`${upstream} ${group}`] ?? { requests: 0, failures: 0, latencies: 0 }
    sums[`${upstream} ${group}`] = {
      requests: before.requests + requests,
      failures: before.failures + failures,
      latencies: before.latencies + latency.count,
    }
  }
  return sums
}

describe('groups of targets', () => {
  test('get their share over all threads, and are measured apart', async () => {
    const [one, two, canary] = [await origin(well), await origin(well), await origin(broken)]
    const bed = await testbed({
      section,
      threads: 2,
      origins: {
        web: [
          { id: 'web/1', origin: one.url, group: 'old' },
          { id: 'web/2', origin: two.url, group: 'old' },
          { id: 'web/3', origin: canary.url, group: 'new', weight: 10 },
        ],
      },
    })
    const sums = sumUp(await reportsOf(bed, () => sendMany(bed.url, 420)))
    expect(canary.seen.length).toBeGreaterThanOrEqual(17)
    expect(canary.seen.length).toBeLessThanOrEqual(23)
    const [all, some] = [one.seen.length + two.seen.length, canary.seen.length]
    expect(all + some).toBe(420)
    expect(sums).toEqual({
      'web old': { requests: all, failures: 0, latencies: all },
      'web new': { requests: some, failures: some, latencies: some },
    })
  })

  test('a try that failed counts against its group, and the next one for the other', async () => {
    const [bad, good] = [await origin((request) => void request.socket.destroy()), await origin(well)]
    const bed = await testbed({
      section,
      origins: {
        web: [
          { id: 'web/1', origin: bad.url, group: 'bad' },
          { id: 'web/2', origin: good.url, group: 'good', weight: 0 },
        ],
      },
    })
    const reports = await reportsOf(bed, async () => {
      for (let count = 0; count < 5; count++) expect((await fetch(bed.url)).status).toBe(200)
    })
    expect(sumUp(reports)).toEqual({
      'web bad': { requests: 5, failures: 5, latencies: 0 },
      'web good': { requests: 5, failures: 0, latencies: 5 },
    })
  })

  test('an answer that breaks off is a failure, one that the client leaves is not', async () => {
    const { url } = await origin((request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('half')
      if (request.url === '/breaks') setTimeout(() => response.destroy(), 50)
    })
    const bed = await testbed({ section, origins: { web: [{ id: 'web/1', origin: url }] } })
    const reports = await reportsOf(bed, async () => {
      await expect(fetch(`${bed.url}/breaks`).then((answer) => answer.text())).rejects.toThrow()
      const leaving = new AbortController()
      const answer = await fetch(`${bed.url}/left`, { signal: leaving.signal })
      leaving.abort()
      await expect(answer.text()).rejects.toThrow()
    })
    expect(sumUp(reports)).toEqual({ 'web ': { requests: 2, failures: 1, latencies: 2 } })
  })

  test('a stream of events says how fast it began, and nothing by its end; a WebSocket is a request', async () => {
    const { url } = await origin((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      setTimeout(() => response.end(), 400)
    })
    const bed = await testbed({ section, origins: { web: [{ id: 'web/1', origin: url, group: 'a' }] } })
    const reports = await reportsOf(bed, async () => {
      await (await fetch(bed.url)).text()
      const socket = new WebSocket(`ws://127.0.0.1:${bed.port}/`)
      await new Promise((done) => socket.once('error', done))
    })
    expect(reports.flatMap(({ routes }) => routes).every(({ latency }) => latency.count === 0)).toBe(true)
    expect(sumUp(reports)).toEqual({ 'web a': { requests: 2, failures: 0, latencies: 1 } })
    const slowest = reports.flatMap(({ groups = [] }) => groups).map(({ latency }) => latency.maximum)
    expect(Math.max(...slowest)).toBeLessThan(300)
  })

  test('what waited for a limit goes to who answers by then, not to who was withdrawn', async () => {
    const [old, fresh] = [await origin(well), await origin(well)]
    const limit = '1/s burst 1 queue 5 for 5s'
    const queueing = { routes: { '/*': { to: 'web', limit } } }
    const bed = await testbed({
      section: queueing,
      origins: { web: [{ id: 'web/1', origin: old.url, group: 'old' }] },
    })
    await (await fetch(bed.url)).text()
    const waiting = fetch(bed.url, { method: 'POST', body: 'x' })
    await delay(100)
    await bed.apply({ origins: { web: [{ id: 'web/2', origin: fresh.url, group: 'new' }] } })
    await old.close()
    expect((await waiting).status).toBe(200)
    const methods = (seen: readonly IncomingMessage[]) => seen.map(({ method }) => method)
    expect([methods(old.seen), methods(fresh.seen)]).toEqual([['GET'], ['POST']])
  })
})
