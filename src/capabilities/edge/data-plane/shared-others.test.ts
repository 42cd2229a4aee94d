import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { describeWith } from '../../../../test/support/describe-with.ts'
import { startRedisServer, type RedisServer } from '../../../../test/support/redis-server.ts'
import { systemClock } from '../../../kernel/std/index.ts'
import { countOf, startTwoEdges, statusesOf } from './shared-edges.test-support.ts'
import { startOrigin, until, type Testbed, type TestOrigin } from './testbed.test-support.ts'

describeWith(['redis-server'], 'two edges share what belongs to no request of a route', (programs) => {
  let server: RedisServer
  let origin: TestOrigin
  let sockets: WebSocketServer
  let received: string[] = []
  let beds: readonly Testbed[] = []
  const open: WebSocket[] = []
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-shared-'))

  beforeAll(async () => {
    server = await startRedisServer(programs['redis-server'])
    origin = await startOrigin((request, response) => {
      response.statusCode = request.url === '/bad' ? 404 : 200
      response.end('well')
    })
    sockets = new WebSocketServer({ noServer: true })
    origin.server.on('upgrade', (request, socket, rest) => {
      sockets.handleUpgrade(request, socket, rest, (peer) => {
        peer.on('message', (data: Buffer) => received.push(data.toString('latin1')))
      })
    })
  })
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.terminate()
    for (const bed of beds) await bed.stop()
    beds = []
    received = []
    await server.client.flushall()
  })
  afterAll(async () => {
    sockets.close()
    await origin.close()
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const openRoute = { to: 'web', limit: '1000/s' }

  async function startTwo(
    routes: object,
    more: object = {},
    sharing: object = {},
  ): Promise<readonly Testbed[]> {
    const section = { shared: { redis: server.url, edges: 2, ...sharing }, routes, ...more }
    beds = await startTwoEdges(server, { section, origins: { web: [origin.url] } })
    return beds
  }

  /** The status of the answer to a WebSocket that is opened. */
  function upgrade(
    { port }: Testbed,
    path = '/',
  ): Promise<{ readonly socket: WebSocket; readonly status: number }> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
    socket.on('error', () => undefined)
    open.push(socket)
    return new Promise((resolve) => {
      socket.once('open', () => resolve({ socket, status: 101 }))
      socket.once('unexpected-response', (_request, response) =>
        resolve({ socket, status: response.statusCode ?? 0 }),
      )
    })
  }

  test('what no route matches', async () => {
    const all = await startTwo({ '/a': openRoute }, { unmatched: '10/hour per ip' })
    const seen = await statusesOf(all, { requests: 30, path: '/nowhere' })
    expect([countOf(seen, 404), countOf(seen, 429)]).toEqual([10, 20])
  })

  test('WebSockets that are opened', async () => {
    const all = await startTwo({ '/*': openRoute }, { upgrades: '4/hour per client' })
    const seen: number[] = []
    for (let turn = 0; turn < 12; turn++) seen.push((await upgrade(all[turn % 2] as Testbed)).status)
    expect([countOf(seen, 101), countOf(seen, 429)]).toEqual([4, 8])
  })

  test.each(['exact', 'lease'])('%s: messages of one subject on several edges', async (mode) => {
    const chat = { ...openRoute, messages: '10/hour per ip', shared: { mode } }
    const all = await startTwo({ '/chat': chat })
    const both = await Promise.all(all.map((bed) => upgrade(bed, '/chat')))
    // In one chunk as well as one by one: each asks.
    for (let index = 0; index < 8; index++) {
      for (const [edge, { socket }] of both.entries()) socket.send(`${edge}${index}`)
    }
    await systemClock.sleep(1000)
    expect(received.length).toBeLessThanOrEqual(10)
    // What one thread has leased and does not spend is lost.
    expect(received.length).toBeGreaterThanOrEqual(mode === 'exact' ? 10 : 6)
    for (const edge of ['0', '1']) {
      const own = received.filter((text) => text.startsWith(edge))
      expect(own).toEqual(own.toSorted())
    }
  })

  test('messages that wait for the store arrive later, whole and in order; a new policy does not end that', async () => {
    const chat = { ...openRoute, messages: '20/s per ip burst 2' }
    const all = await startTwo({ '/chat': chat })
    const [one, other] = await Promise.all(all.map((bed) => upgrade(bed, '/chat')))
    const section = {
      shared: { redis: server.url, edges: 2 },
      routes: { '/chat': { ...chat, limit: '900/s' } },
    }
    for (const bed of all) await bed.apply({ section })
    await server.client.config('RESETSTAT')
    const startedMs = systemClock.monotonicMs()
    const sent = Array.from(
      { length: 12 },
      (_, index) => `${String(index).padStart(2, '0')}${'y'.repeat(9000)}`,
    )
    for (const text of sent) {
      one?.socket.send(`0${text}`)
      other?.socket.send(`1${text}`)
    }
    await until(() => received.length === 24)
    // Two at once, 22 of 20 a second: one edge alone would take half as long.
    expect(systemClock.monotonicMs() - startedMs).toBeGreaterThan(1000)
    for (const edge of ['0', '1']) {
      expect(received.filter((text) => text.startsWith(edge))).toEqual(sent.map((text) => edge + text))
    }
    const asked = /cmdstat_evalsha:calls=(\d+)/.exec(await server.client.info('commandstats'))?.[1]
    expect(Number(asked)).toBeGreaterThanOrEqual(sent.length)
    for (const { plane } of all) expect(plane.state().notes).toEqual([])
  })

  test('errors: who used them up on one edge is refused on the other, within a second of coming there', async () => {
    const all = await startTwo({ '/*': openRoute }, { errors: '5/hour per ip' })
    const [one, other] = all as readonly [Testbed, Testbed]
    expect((await fetch(other.url)).status).toBe(200)
    const seen = await statusesOf([one], { requests: 5, path: '/bad' })
    expect(countOf(seen, 404)).toBe(5)
    const startedMs = systemClock.monotonicMs()
    let retryAfterSeconds = 0
    while (retryAfterSeconds === 0 && systemClock.monotonicMs() < startedMs + 5000) {
      const response = await fetch(other.url)
      await response.text()
      retryAfterSeconds = Number(response.headers.get('retry-after') ?? 0)
    }
    expect(retryAfterSeconds).toBeGreaterThan(60)
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(2500)
  })

  test('errors add up over the edges', async () => {
    const all = await startTwo({ '/*': openRoute }, { errors: '10/hour per ip' })
    const seen = await statusesOf(all, { requests: 40, path: '/bad' })
    expect(countOf(seen, 404)).toBeGreaterThanOrEqual(10)
    // Each of four threads may answer one more while it does not know.
    expect(countOf(seen, 404)).toBeLessThanOrEqual(14)
  })

  test('a password comes from a file, and another one when that changes; nothing says it', async () => {
    const file = join(directory, 'password')
    const secrets = ['open-sesame-1', 'open-sesame-2'] as const
    writeFileSync(file, `${secrets[0]}\n`)
    await server.client.config('SET', 'requirepass', secrets[0])
    try {
      const all = await startTwo(
        { '/*': { to: 'web', limit: '10000/hour per ip' } },
        {},
        { passwordFile: file },
      )
      expect(countOf(await statusesOf(all, { requests: 10 }), 200)).toBe(10)
      expect(await server.client.dbsize()).toBeGreaterThan(0)
      await server.client.config('SET', 'requirepass', secrets[1])
      await server.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      const says = (text: string) => (bed: Testbed) =>
        bed.plane.state().notes.some((note) => note.startsWith(text))
      for (let turn = 0; turn < 100 && !all.every(says('counters lost')); turn++) {
        await statusesOf(all, { requests: 4, path: `/${turn}` })
      }
      expect(all.every(says('counters lost'))).toBe(true)
      writeFileSync(file, secrets[1])
      await until(() => all.every(says('counters found')), 20_000)
      const everything = JSON.stringify(all.map(({ plane, policy }) => [policy, plane.state()]))
      expect(everything).not.toContain('open-sesame')
    } finally {
      await server.client.config('SET', 'requirepass', '')
    }
  })
})
