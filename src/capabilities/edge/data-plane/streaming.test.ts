import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createStage, freePort, openRaw, sendRaw, until } from './testbed.test-support.ts'

const generous = '1000000/s per ip'
const stage = createStage()

beforeAll(() => stage.open())
afterEach(() => stage.clear())
afterAll(() => stage.close())

const { origin, testbed } = stage
const web = (extra: object = {}) => ({ routes: { '/*': { to: 'web', limit: generous, ...extra } } })

describe('bodies', () => {
  test('a large upload streams both ways with flat memory and without a byte changed', async () => {
    const size = 800 * 2 ** 20
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
    // Client, edge and origin share this process; what they hold is garbage of a moment, not the upload.
    expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 2 ** 20)
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
    expect(isAborted).toBe(true)
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
