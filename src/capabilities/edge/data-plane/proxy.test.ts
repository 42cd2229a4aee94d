import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  collect,
  echo,
  freePort,
  openRaw,
  sendRaw,
  startOrigin,
  startTestbed,
  until,
  type Behaviour,
  type Testbed,
  type TestbedParts,
  type TestOrigin,
} from './testbed.test-support.ts'

const generous = '1000000/s per ip'
const closing: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function origin(behaviour: Behaviour): Promise<TestOrigin> {
  const started = await startOrigin(behaviour)
  closing.push(() => started.close())
  return started
}

let shared: Testbed

beforeAll(async () => {
  shared = await startTestbed({ section: {}, origins: {} })
})

afterAll(() => shared.stop())

/** A data plane with these parts: the shared one, unless it has to have several threads. */
async function testbed(parts: TestbedParts): Promise<Testbed> {
  if (parts.threads === undefined) {
    await shared.apply({ healthy: () => true, ...parts })
    return shared
  }
  const bed = await startTestbed(parts)
  closing.push(() => bed.stop())
  return bed
}

const web = (extra: object = {}) => ({ routes: { '/*': { to: 'web', limit: generous, ...extra } } })

describe('bodies', () => {
  test('a large upload streams both ways with flat memory and without a byte changed', async () => {
    const size = 200 * 2 ** 20
    const chunk = randomBytes(2 ** 20)
    const { url } = await origin((request, response) => {
      const hash = createHash('sha256')
      request.on('data', (part: Buffer) => hash.update(part))
      request.on('end', () => response.end(hash.digest('hex')))
    })
    const bed = await testbed({ section: web({ maxBody: 'any' }), origins: { web: [url] } })
    const hash = createHash('sha256')
    const before = process.memoryUsage.rss()
    const answer = new Promise<string>((resolve, reject) => {
      const upload = requestHttp(`${bed.url}/`, { method: 'POST', agent: false }, (response) => {
        let text = ''
        response.on('data', (part: Buffer) => (text += part.toString()))
        response.on('end', () => resolve(text))
      })
      upload.on('error', reject)
      let sent = 0
      const pump = (): void => {
        while (sent < size) {
          sent += chunk.length
          hash.update(chunk)
          if (!upload.write(chunk)) return void upload.once('drain', pump)
        }
        upload.end()
      }
      pump()
    })
    expect(await answer).toBe(hash.digest('hex'))
    expect(process.memoryUsage.rss() - before).toBeLessThan(120 * 2 ** 20)
  })

  test('back-pressure reaches the origin: what nobody reads is not fetched', async () => {
    let sent = 0
    const { url } = await origin((_request, response) => {
      const chunk = Buffer.alloc(65_536)
      const pump = (): void => {
        while (sent < 2 ** 28) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', pump)
        }
        response.end()
      }
      pump()
    })
    const bed = await testbed({ section: web(), origins: { web: [url] } })
    const socket = await openRaw(bed.port)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    socket.pause()
    await delay(800)
    expect(sent).toBeLessThan(64 * 2 ** 20)
    socket.destroy()
  })

  test('server-sent events arrive as they are sent', async () => {
    const events: { write(text: string): void }[] = []
    const { url } = await origin((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      events.push({ write: (text) => void response.write(text) })
    })
    const bed = await testbed({ section: web(), origins: { web: [url] } })
    const answer = await fetch(`${bed.url}/events`)
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    const reader = answer.body?.getReader()
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      events[0]?.write(text)
      const { value } = (await reader?.read()) ?? {}
      expect(Buffer.from(value ?? []).toString()).toBe(text)
    }
    await reader?.cancel()
  })

  test('HEAD, 204 and 304 have no body, and the connection stays in step', async () => {
    const { url } = await origin((request, response) => {
      if (request.url === '/204') response.writeHead(204).end()
      else if (request.url === '/304') response.writeHead(304, { etag: '"x"' }).end()
      else response.writeHead(200, { 'content-length': '5' }).end('hello')
    })
    const bed = await testbed({ section: web(), origins: { web: [url] } })
    const requests = ['HEAD /', 'GET /204', 'GET /304', 'GET /'].map(
      (line) => `${line} HTTP/1.1\r\nHost: a\r\n\r\n`,
    )
    const { text } = await sendRaw(bed.port, requests.join(''))
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '204',
      '304',
      '200',
    ])
    expect(text.match(/hello/g)).toHaveLength(1)
    expect(text).toMatch(/content-length: 5/i)
  })

  test('early hints are dropped, the answer comes', async () => {
    const { url } = await origin((_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('x'))
    })
    const bed = await testbed({ section: web(), origins: { web: [url] } })
    const { text } = await sendRaw(bed.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('fields that come twice stay two', async () => {
    const { url } = await origin((_request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.end()
    })
    const bed = await testbed({ section: web(), origins: { web: [url] } })
    expect((await fetch(bed.url)).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })
})

describe('aborts', () => {
  test.each(['chunked', 'with a length'])(
    'an origin that breaks off in the middle is not taken for whole: %s',
    async (how) => {
      const { url } = await origin((_request, response) => {
        if (how !== 'chunked') response.setHeader('content-length', '1000')
        response.write('half')
        setTimeout(() => response.destroy(), 50)
      })
      const bed = await testbed({ section: web(), origins: { web: [url] } })
      const answer = await fetch(bed.url)
      await expect(answer.text()).rejects.toThrow()
    },
  )

  test('a client that goes away ends the request at the origin', async () => {
    let isAborted = false
    const { url, seen } = await origin((request) => {
      request.on('close', () => (isAborted = true))
    })
    const bed = await testbed({ section: web(), origins: { web: [url] } })
    const socket = await openRaw(bed.port)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => seen.length === 1)
    socket.destroy()
    await until(() => isAborted)
  })

  test('an upload that is cut off is not taken for whole', async () => {
    const ends: string[] = []
    const { url } = await origin((request) => {
      request.on('end', () => ends.push('end'))
      request.on('error', () => ends.push('error'))
      request.resume()
    })
    const bed = await testbed({ section: web(), origins: { web: [url] } })
    const socket = await openRaw(bed.port)
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    await delay(200)
    socket.destroy()
    await until(() => ends.length > 0)
    expect(ends).toEqual(['error'])
  })
})

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
    closing.push(() => void server.close())
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
    await delay(200)
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

const python = spawnSync('python3', ['-V']).status === 0

describe.skipIf(!python)('python3 -m http.server as origin', () => {
  let server: ChildProcess
  let directory: string
  let port: number

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'edge-python-'))
    writeFileSync(join(directory, 'hello.txt'), 'hello from python')
    port = await freePort()
    const options = { cwd: directory, stdio: 'ignore' as const }
    server = spawn('python3', ['-m', 'http.server', String(port), '--bind', '127.0.0.1'], options)
    const isUp = async (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      )
    for (let tries = 0; tries < 100 && !(await isUp()); tries++) await delay(100)
  })

  afterAll(() => {
    server.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  test('files and listings come through, over one connection of the client', async () => {
    const bed = await testbed({ section: web(), origins: { web: [`http://127.0.0.1:${port}`] } })
    const one = 'GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n'
    const { text } = await sendRaw(bed.port, one + one + 'GET /no HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(text.match(/hello from python/g)).toHaveLength(2)
    expect(text).toMatch(/HTTP\/1\.1 404 /)
  })
})
