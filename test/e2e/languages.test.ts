import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { describeWith } from '../support/describe-with.ts'
import { mustRun, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const origins = join(import.meta.dirname, '..', 'support', 'origins')
const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

const place = placesOfTests()

const answered = (outgoing: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => outgoing.once('response', resolve).once('error', reject))

async function whole(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function next(pieces: AsyncIterator<Buffer>): Promise<string> {
  const { value } = await pieces.next()
  return value instanceof Buffer ? value.toString() : ''
}

describeWith(['python3'], 'services in other languages, as they are', () => {
  test('python3 -m http.server, from "init" to "down"', { timeout: 90_000 }, async () => {
    const here = await place()
    const large = randomBytes(20_000_000)
    writeFileSync(join(here.directory, 'large.bin'), large)
    const command = 'python3 -m http.server "$PORT" --bind "$HOST"'
    const init = here.run(
      'init',
      '--name',
      'files',
      '--service',
      'files',
      '--command',
      command,
      '--health',
      '/',
    )
    expect(init).toMatchObject({ code: 0 })
    expect(here.run('check')).toMatchObject({ code: 0 })
    mustRun(await here.up())

    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    const get = async (
      path: string,
      method = 'GET',
    ): Promise<{ status?: number | undefined; body: Buffer }> => {
      const outgoing = request(here.edgeUrl + path, { agent, method }).end()
      const incoming = await answered(outgoing)
      ports.add(outgoing.socket?.localPort)
      return { status: incoming.statusCode, body: await whole(incoming) }
    }
    expect((await get('/')).body.toString()).toContain('large.bin')
    expect(await get('/large.bin', 'HEAD')).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    expect(sha256((await get('/large.bin')).body)).toBe(sha256(large))
    expect((await get('/nothing')).status).toBe(404)
    // http.server ends its connection after each answer; the client's stays.
    expect(ports.size).toBe(1)
    agent.destroy()
    expect(here.run('down')).toMatchObject({ code: 0 })
  })

  test('uploads, streams both ways, events and WebSockets', { timeout: 90_000 }, async () => {
    const here = await place()
    const services = {
      streams: { command: ['python3', join(origins, 'streams.py')], health: '/' },
      sockets: { command: [process.execPath, join(origins, 'sockets.mjs')], health: '/' },
    }
    const limit = '100000/s'
    const routes = {
      'POST /*': { to: 'streams', limit, maxBody: '100MiB' },
      '/*': { to: 'streams', limit },
      '/live': { to: 'sockets', limit: '10 at once per ip' },
    }
    const file = { name: 'mixed', services, edge: { routes } }
    here.write('holdfast.config.ts', `export default ${JSON.stringify(file)}\n`)
    mustRun(await here.up())

    const upload = randomBytes(64_000_000)
    const answer = await fetch(`${here.edgeUrl}/upload`, { method: 'POST', body: upload })
    expect(await answer.text()).toBe(sha256(upload))
    await echoesPieceByPiece(here)
    await sendsEventsAsTheyCome(here)
    await keepsItsConnections(here)

    const socket = new WebSocket(`ws://127.0.0.1:${here.edgePort}/live`)
    const messages: string[] = []
    socket.on('message', (data: Buffer) => messages.push(data.toString()))
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.send('x'.repeat(1_000_000))
    socket.send('end')
    await expect.poll(() => messages.map(({ length }) => length), { timeout: 10_000 }).toEqual([1_000_000, 3])
    socket.terminate()
  })
})

async function echoesPieceByPiece(here: Place): Promise<void> {
  const pieces = ['one', 'two', 'six']
  const outgoing = request(`${here.edgeUrl}/echo`, { method: 'POST', headers: { 'content-length': 9 } })
  outgoing.write(pieces[0])
  const coming = (await answered(outgoing))[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  expect(await next(coming)).toBe('one')
  for (const piece of pieces.slice(1)) {
    outgoing.write(piece)
    expect(await next(coming)).toBe(piece)
  }
  outgoing.end()
  expect(await next(coming)).toBe('')
}

async function sendsEventsAsTheyCome(here: Place): Promise<void> {
  const incoming = await answered(request(`${here.edgeUrl}/events`).end())
  const coming = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  // One by one: held back, they would come in one piece.
  for (const number of [0, 1, 2]) expect(await next(coming)).toBe(`data: ${number}\n\n`)
  expect(await next(coming)).toBe('')
}

/** The service answers with the port that its peer has: the same one, as long as the connection is kept. */
async function keepsItsConnections(here: Place): Promise<void> {
  const ports = new Set<string>()
  for (let count = 0; count < 20; count++) ports.add(await (await fetch(`${here.edgeUrl}/port`)).text())
  // Each of the edge's threads has connections of its own.
  expect(ports.size).toBeLessThan(20)
}
