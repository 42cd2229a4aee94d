import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  echo,
  startOrigin,
  startTestbed,
  until,
  type Testbed,
  type TestOrigin,
} from '../testbed.test-support.ts'

let origin: TestOrigin
let server: WebSocketServer
let bed: Testbed
let received: string[] = []
let closedAtOrigin: number[] = []
const open: WebSocket[] = []

beforeAll(async () => {
  origin = await startOrigin(echo)
  server = new WebSocketServer({ noServer: true })
  origin.server.on('upgrade', (request, socket, rest) => {
    server.handleUpgrade(request, socket, rest, (peer) => {
      peer.on('message', (data: Buffer) => received.push(data.toString('latin1')))
      peer.on('close', (code) => closedAtOrigin.push(code))
      if (request.url === '/slow-frame') peer.send('x'.repeat(300_000))
    })
  })
  const routes = {
    '/fast': { to: 'web', limit: '100/s', messages: '20/s per ip burst 2' },
    '/few': { to: 'web', limit: '100/s', messages: '2/hour per ip' },
    '/slow-frame': { to: 'web', limit: '100/s', messages: '1/hour per ip' },
    '/ours': { to: 'web', limit: '100/s', messages: '1/hour', allow: ['127.0.0.1'] },
    '/pings': { to: 'web', limit: '100/s', messages: '1000/s' },
    '/*': { to: 'web', limit: '100/s' },
  }
  bed = await startTestbed({
    section: { routes, upgrades: '6/hour per client' },
    origins: { web: [origin.url] },
  })
})

afterAll(async () => {
  await bed.stop()
  server.close()
  await origin.close()
})

afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate()
  received = []
  closedAtOrigin = []
})

async function opened(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${bed.port}${path}`)
  socket.on('error', () => undefined)
  open.push(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('close', () => reject(new Error('closed')))
    socket.once('unexpected-response', (_request, response) => reject(new Error(String(response.statusCode))))
  })
  return socket
}

const closed = (socket: WebSocket): Promise<readonly [number, string]> =>
  new Promise((resolve) => socket.once('close', (code, reason: Buffer) => resolve([code, reason.toString()])))

test('messages that come too fast arrive later, whole and in order', async () => {
  const socket = await opened('/fast')
  const sent = Array.from({ length: 8 }, (_, index) => `${index}${'y'.repeat(index * 30_000)}`)
  for (const text of sent) socket.send(text)
  await until(() => received.length >= 2)
  expect(received.length).toBeLessThan(8)
  await until(() => received.length === 8)
  expect(received).toEqual(sent)
  expect(socket.readyState).toBe(WebSocket.OPEN)
})

test('a client that would have to wait for too long is told why, and so is the service', async () => {
  const socket = await opened('/few')
  const ending = closed(socket)
  socket.send('par', { fin: false })
  socket.send('t', { fin: false })
  socket.send('s', { fin: true })
  socket.send('two')
  socket.send('three')
  await until(() => received.length === 2)
  expect(received).toEqual(['parts', 'two'])
  expect(await ending).toEqual([1008, 'too many messages: 2/hour per ip'])
  await until(() => closedAtOrigin.includes(1008))
  expect(received).toEqual(['parts', 'two'])
  // One message was held back, however often it was tried.
  const told = async () => {
    const reports = await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))
    const offenders = reports.flatMap(({ offenders: some = [] }) => some)
    return offenders.filter(({ limit }) => limit === 'edge.messages./few')
  }
  for (let turn = 0; turn < 100 && (await told()).length === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(await told()).toMatchObject([
    { rule: '2/hour per ip', subject: 'ip:127.0.0.1', refused: 1, routes: [{ route: '/few', refused: 1 }] },
  ])
}, 20_000)

test('the close does not land within what the service is sending', async () => {
  const socket = await opened('/slow-frame')
  const messages: number[] = []
  socket.on('message', (data: Buffer) => messages.push(data.length))
  socket.send('one')
  socket.send('two')
  expect((await closed(socket))[0]).toBe(1008)
  expect(messages).toEqual([300_000])
}, 20_000)

test('control frames have a bound of their own', async () => {
  const socket = await opened('/pings')
  let pongs = 0
  socket.on('pong', () => pongs++)
  for (let count = 0; count < 65; count++) socket.ping()
  socket.send('after')
  await until(() => pongs >= 60)
  expect(received).toEqual([])
  await until(() => received.length === 1)
  expect(pongs).toBe(65)
})

test('whoever is allowed may send what it likes', async () => {
  const socket = await opened('/ours')
  for (const text of ['one', 'two', 'three']) socket.send(text)
  await until(() => received.length === 3)
  expect(received).toEqual(['one', 'two', 'three'])
})

test('opening is limited, too, and a request that is no upgrade does not count for it', async () => {
  const url = `http://127.0.0.1:${bed.port}/plain`
  for (let count = 0; count < 10; count++) expect((await fetch(url)).status).toBe(200)
  await opened('/a')
  await opened('/b')
  await expect(opened('/c')).rejects.toThrow('429')
})
