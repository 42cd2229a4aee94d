import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  collect,
  createStage,
  echo,
  freePort,
  openRaw,
  sendRaw,
  startTestbed,
  until,
  type Behaviour,
} from './testbed.test-support.ts'

const generous = '1000000/s per ip'
const stage = createStage()

beforeAll(() => stage.open())
afterEach(() => stage.clear())
afterAll(() => stage.close())

const { origin, testbed } = stage
const web = (extra: object = {}) => ({ routes: { '/*': { to: 'web', limit: generous, ...extra } } })

describe('failures of the origin', () => {
  test('nobody listens: 502 at first, then 503 that names the service and says when to try again', async () => {
    const port = await freePort()
    let isUp = true
    const bed = await testbed({
      section: web(),
      origins: { web: [`http://127.0.0.1:${port}`] },
      healthy: () => isUp,
    })
    await delay(100)
    isUp = false
    const first = await fetch(bed.url)
    expect(first.status).toBe(502)
    expect(await first.json()).toMatchObject({ service: 'web', reason: 'unreachable' })
    await until(() => bed.plane.state().revision !== null)
    const second = await fetch(bed.url, { headers: { accept: 'text/html' } })
    expect(second.status).toBe(503)
    expect(second.headers.get('retry-after')).toBe('2')
    expect(await second.text()).toContain('No replica of &quot;web&quot; is healthy')
  })

  test('an answer that takes too long is a 504', async () => {
    const { url } = await origin(() => undefined)
    const bed = await testbed({ section: web({ responseTimeout: '1s' }), origins: { web: [url] } })
    const answer = await fetch(bed.url, { headers: { accept: 'text/plain' } })
    expect(answer.status).toBe(504)
    expect(await answer.text()).toContain('"web" did not answer in time')
  })

  test('no HTTP from the origin is a 502', async () => {
    const server = createNetServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end('hello?\r\n\r\n'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stage.later(() => void server.close())
    const { port } = server.address() as AddressInfo
    const bed = await testbed({ section: web(), origins: { web: [`http://127.0.0.1:${port}`] } })
    const answer = await fetch(bed.url)
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({ reason: 'invalid-answer' })
  })

  test('a replica that cannot be reached is passed over, whatever the method', async () => {
    const { url } = await origin(echo)
    const dead = `http://127.0.0.1:${await freePort()}`
    const bed = await testbed({ section: web(), origins: { web: [dead, url] } })
    for (let count = 0; count < 20; count++) {
      const answer = await fetch(bed.url, { method: 'POST', body: 'once' })
      expect(answer.status).toBe(200)
      expect(((await answer.json()) as { body: string }).body).toBe('once')
    }
  })

  test('a request that was sent is tried again only if that does no harm', async () => {
    const breakOff: Behaviour = (request) => request.socket.destroy()
    const first = await origin(breakOff)
    const second = await origin(breakOff)
    const bed = await testbed({ section: web(), origins: { web: [first.url, second.url] } })
    expect((await fetch(bed.url, { method: 'POST', body: 'x' })).status).toBe(502)
    expect(first.seen.length + second.seen.length).toBe(1)
    expect((await fetch(bed.url)).status).toBe(502)
    expect(first.seen.length + second.seen.length).toBe(4)
  })

  test('requests go to replicas that are well', async () => {
    const ill = await origin(echo)
    const well = await origin(echo)
    const bed = await testbed({
      section: web(),
      origins: { web: [ill.url, well.url] },
      healthy: (url) => url !== ill.url,
    })
    const isKnown = async (): Promise<boolean> => {
      const reports = await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))
      return reports.at(-1)?.unhealthyTargets.includes('web/1') ?? false
    }
    for (let tries = 0; tries < 100 && !(await isKnown()); tries++) await delay(50)
    for (let count = 0; count < 10; count++) expect((await fetch(bed.url)).status).toBe(200)
    expect(ill.seen).toEqual([])
    expect(well.seen).toHaveLength(10)
  })
})

describe('limits', () => {
  test('429 names the limit and its time, in the form that is asked for', async () => {
    const { url } = await origin(echo)
    const bed = await testbed({
      section: {
        routes: { 'POST /login': { to: 'web', limit: ['2/min per ip', '300/min'] } },
        unmatched: '1/min per ip',
      },
      origins: { web: [url] },
    })
    const login = (accept = '*/*') => fetch(`${bed.url}/login`, { method: 'POST', headers: { accept } })
    expect([(await login()).status, (await login()).status]).toEqual([200, 200])
    const refused = await login()
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(await refused.json()).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      'violated-policies': ['edge.route.POST /login'],
      rule: '2/min per ip',
    })
    expect((await login('text/html,*/*;q=0.8')).headers.get('content-type')).toContain('text/html')
    expect((await fetch(`${bed.url}/LOGIN/`, { method: 'POST' })).status).toBe(429)
    expect((await fetch(`${bed.url}/else`)).status).toBe(404)
    expect((await fetch(`${bed.url}/else`)).status).toBe(429)
  })

  test('"at once" counts requests under way, and gives their places back', async () => {
    const waiting: (() => void)[] = []
    const { url } = await origin((_request, response) => void waiting.push(() => response.end()))
    const bed = await testbed({
      section: { routes: { '/*': { to: 'web', limit: '2 at once per ip' } } },
      origins: { web: [url] },
    })
    const under = [fetch(bed.url), fetch(bed.url)]
    await until(() => waiting.length === 2)
    expect((await fetch(bed.url)).status).toBe(429)
    for (const end of waiting.splice(0)) end()
    for (const answer of await Promise.all(under)) await answer.text()
    const again = fetch(bed.url)
    await until(() => waiting.length === 1)
    waiting[0]?.()
    expect((await again).status).toBe(200)
  })

  test('behind a trusted proxy the client counts, not the proxy', async () => {
    const { url } = await origin(echo)
    const bed = await testbed({
      section: { trustProxies: ['127.0.0.0/8'], routes: { '/*': { to: 'web', limit: '1/min per ip' } } },
      origins: { web: [url] },
    })
    const from = (chain: string) => fetch(bed.url, { headers: { 'x-forwarded-for': chain } })
    expect((await from('203.0.113.1')).status).toBe(200)
    expect((await from('203.0.113.2')).status).toBe(200)
    expect((await from('198.51.100.7, 203.0.113.1')).status).toBe(429)
  })

  test('several threads share one account', async () => {
    const { url } = await origin(echo)
    const bed = await testbed({
      section: { routes: { '/*': { to: 'web', limit: '20/min per ip' } } },
      origins: { web: [url] },
      threads: 3,
    })
    const ask = () => sendRaw(bed.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const answers = await Promise.all(Array.from({ length: 60 }, ask))
    const statuses = answers.map(({ text }) => text.slice(9, 12))
    expect(statuses.filter((status) => status === '200')).toHaveLength(20)
    expect(statuses.filter((status) => status === '429')).toHaveLength(40)
  })
})

describe('policies', () => {
  test('a new policy takes the place of the old one and keeps the counts; a bad one changes nothing', async () => {
    const { url } = await origin(echo)
    const limited = { 'GET /a': { to: 'web', limit: '1/hour per ip' } }
    const bed = await testbed({ section: { routes: limited }, origins: { web: [url] } })
    expect((await fetch(`${bed.url}/a`)).status).toBe(200)
    const policy = await bed.apply({
      section: { routes: { ...limited, 'GET /b': { to: 'web', limit: generous } } },
    })
    expect((await fetch(`${bed.url}/a`)).status).toBe(429)
    expect((await fetch(`${bed.url}/b`)).status).toBe(200)
    const { revision } = bed.plane.state()
    await expect(bed.plane.apply({ ...policy, limits: [{ name: 'x', rule: 'nonsense' }] })).rejects.toThrow(
      'nonsense',
    )
    expect(bed.plane.state().revision).toBe(revision)
    expect((await fetch(`${bed.url}/b`)).status).toBe(200)
  })

  test('a thread that ends is replaced', async () => {
    const { url } = await origin(echo)
    const bed = await testbed({ section: web(), origins: { web: [url] }, threads: 2 })
    expect((await fetch(bed.url)).status).toBe(200)
    await bed.plane.crashThread(0)
    await until(() => bed.plane.state().notes.some((note) => note.startsWith('thread replaced')))
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        sendRaw(bed.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      ),
    )
    expect(answers.every(({ text }) => text.startsWith('HTTP/1.1 200'))).toBe(true)
  })

  test('draining lets requests end, tells connections to close, and takes no new ones', async () => {
    let end = (): void => undefined
    const { url, seen } = await origin((_request, response) => {
      end = () => response.end('done')
    })
    const bed = await startTestbed({ section: web(), origins: { web: [url] } })
    const socket = await openRaw(bed.port)
    const answer = collect(socket, 3000)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => seen.length === 1)
    const drained = bed.plane.drain(5000)
    await delay(100)
    await expect(fetch(bed.url)).rejects.toThrow()
    end()
    const { text, isClosed } = await answer
    expect(text).toMatch(/connection: close/i)
    expect(text).toContain('done')
    expect(isClosed).toBe(true)
    await drained
  })

  test('what was counted is reported', async () => {
    const { url } = await origin(echo)
    const bed = await testbed({
      section: { routes: { '/*': { to: 'web', limit: '3/min per ip' } } },
      origins: { web: [url] },
    })
    await delay(1100)
    const before = (await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))).at(-1)?.number ?? 0
    for (let count = 0; count < 5; count++) {
      await (await fetch(bed.url, { method: 'POST', body: 'abc' })).text()
    }
    await delay(1200)
    const reports = await bed.plane.reports.after(before, 0, AbortSignal.timeout(1000))
    const total = (pick: (route: (typeof reports)[number]['routes'][number]) => number): number =>
      reports.flatMap(({ routes }) => routes).reduce((sum, route) => sum + pick(route), 0)
    expect(total(({ requests }) => requests)).toBe(5)
    expect(total(({ refused }) => refused)).toBe(2)
    expect(total(({ classes }) => classes[1])).toBe(3)
    expect(total(({ bytesIn }) => bytesIn)).toBe(9)
    expect(total(({ latency }) => latency.count)).toBe(3)
    const limits = reports.flatMap((report) => report.limits)
    expect(limits.reduce((sum, limit) => sum + limit.refused, 0)).toBe(2)
    expect(limits.reduce((sum, limit) => sum + limit.admitted, 0)).toBe(3)
  })
})
