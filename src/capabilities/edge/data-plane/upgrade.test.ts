import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  echo,
  sendRaw,
  startOrigin,
  startTestbed,
  type Testbed,
  type TestOrigin,
} from './testbed.test-support.ts'

let origin: TestOrigin
let server: WebSocketServer
let bed: Testbed
let upgrades: string[] = []
const routes = {
  '/live': { to: 'web', limit: '2 at once per ip' },
  '/quiet': { to: 'web', limit: '100 at once per ip', idleTimeout: '1s' },
  '/*': { to: 'web', limit: '100000/s per ip' },
  '/rare': { to: 'web', limit: '1/hour per ip' },
}

beforeAll(async () => {
  origin = await startOrigin(echo)
  server = new WebSocketServer({ noServer: true })
  origin.server.on('upgrade', (request, socket, rest) => {
    upgrades.push(JSON.stringify(request.rawHeaders))
    if (request.url === '/no') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Why: so\r\n\r\nno!')
      return
    }
    server.handleUpgrade(request, socket, rest, (client) => {
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }))
      if (request.url === '/bye') client.close(4001, 'bye')
      if (request.url === '/break') (socket as Socket).destroy()
    })
  })
  bed = await startTestbed({ section: { routes }, origins: { web: [origin.url] } })
})

afterAll(async () => {
  await bed.stop()
  server.close()
  await origin.close()
})

const open: WebSocket[] = []

beforeEach(() => {
  upgrades = []
})

afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate()
})

function client(path: string): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${bed.port}${path}`)
  socket.on('error', () => undefined)
  open.push(socket)
  return socket
}

async function opened(path: string): Promise<WebSocket> {
  const socket = client(path)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('close', () => reject(new Error('closed')))
  })
  return socket
}

const message = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString('latin1'))))

const closed = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.once('close', resolve))

test('messages go to and fro, small and large', async () => {
  const socket = await opened('/chat')
  for (const text of ['hello', 'x'.repeat(2 ** 20)]) {
    socket.send(text)
    expect(await message(socket)).toBe(text)
  }
  expect(upgrades[0]).toContain('"x-forwarded-for","127.0.0.1"')
})

test('either side may close', async () => {
  const bye = client('/bye')
  expect(await closed(bye)).toBe(4001)
  const socket = await opened('/chat')
  const atOrigin = new Promise<number>((resolve) => {
    for (const peer of server.clients) peer.once('close', resolve)
  })
  socket.close(4002)
  expect(await atOrigin).toBe(4002)
})

test('an origin that breaks off ends the connection', async () => {
  expect(await closed(client('/break'))).toBe(1006)
})

test('an origin that declines is heard', async () => {
  const status = await new Promise<number>((resolve) => {
    client('/no').once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
  })
  expect(status).toBe(403)
})

test('upgrades stand under the same limits, for as long as they last', async () => {
  const first = await opened('/live')
  await opened('/live')
  const status = () =>
    new Promise<number>((resolve) => {
      client('/live').once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    })
  expect(await status()).toBe(429)
  expect(upgrades).toHaveLength(2)
  first.close()
  await closed(first)
  await delay(100)
  await opened('/live')
})

test('a WebSocket on which nothing moves is ended after the idle timeout', async () => {
  const socket = await opened('/quiet')
  const startedMs = performance.now()
  expect(await closed(socket)).toBe(1006)
  expect(performance.now() - startedMs).toBeGreaterThan(800)
})

test('a refusal of an upgrade is a whole answer', async () => {
  const fields = [
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const request = `GET /rare HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`
  await sendRaw(bed.port, request)
  const { text, isClosed } = await sendRaw(bed.port, request)
  expect(text).toMatch(/^HTTP\/1\.1 429 /)
  expect(text).toMatch(/retry-after: \d+/i)
  expect(isClosed).toBe(true)
})

test('what would be upgraded to something else is served as the request that it is', async () => {
  const fields = [
    'Host: a',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  ]
  const { text } = await sendRaw(bed.port, `GET /x HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  expect(text).not.toMatch(/h2c|HTTP2-Settings/i)
})

test('an upgrade is counted as 1xx, its bytes both ways', async () => {
  await delay(1100)
  const before = (await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))).at(-1)?.number ?? 0
  const socket = await opened('/chat')
  socket.send('hello')
  await message(socket)
  const routesOf = async () =>
    (await bed.plane.reports.after(before, 0, AbortSignal.timeout(1000)))
      .flatMap(({ routes }) => routes)
      .filter(({ route }) => route === '/*')
  await delay(1200)
  const counted = await routesOf()
  expect(counted.reduce((sum, { classes }) => sum + classes[0], 0)).toBe(1)
  expect(counted.reduce((sum, { bytesIn }) => sum + bytesIn, 0)).toBe(11)
  expect(counted.reduce((sum, { bytesOut }) => sum + bytesOut, 0)).toBe(7)
})

test('draining does not wait for WebSockets', async () => {
  const other = await startTestbed({ section: { routes }, origins: { web: [origin.url] } })
  const socket = new WebSocket(`ws://127.0.0.1:${other.port}/chat`)
  open.push(socket)
  await new Promise((resolve) => socket.once('open', resolve))
  const gone = closed(socket)
  const startedMs = performance.now()
  await other.plane.drain(20_000)
  expect(await gone).toBe(1006)
  expect(performance.now() - startedMs).toBeLessThan(10_000)
})
