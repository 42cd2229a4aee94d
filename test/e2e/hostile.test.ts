import { readFileSync } from 'node:fs'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom, systemClock } from '../../src/kernel/std/index.ts'
import { makePlace, mustRun, until, type Place } from '../support/holdfast/index.ts'
import { processesWith, residentMiB } from '../support/holdfast/left.ts'

const node = process.execPath
const processes = ['edge', 'control', 'supervisor'] as const
type Door = 'edge' | 'control' | 'supervisor socket' | 'edge socket'

const server = (answer: string, before = ''): string[] => [
  node,
  '-e',
  `${before}; const server = require('http').createServer((request, response) => { ${answer} }); server.listen(+process.env.PORT, process.env.HOST)`,
]
const fine = "response.end('fine')"

/** Services as one would not wish them. */
const services = {
  web: { command: server(fine), health: '/' },
  stubborn: {
    command: server(fine, "process.on('SIGTERM', () => undefined)"),
    health: '/',
    stopTimeout: '1s',
  },
  failing: {
    command: server('response.statusCode = request.url === "/healthz" ? 200 : 500; response.end()'),
    health: '/healthz',
  },
  loud: {
    command: server(
      fine,
      "const lines = ('x'.repeat(1023) + '\\n').repeat(2500); setInterval(() => require('fs').writeSync(1, lines), 50)",
    ),
    health: '/',
  },
}
const worse = {
  forking: { command: ['/bin/sh', '-c', '(sleep 600; sleep 600) & sleep 0.2'], listens: false },
  wide: {
    command: [
      node,
      '-e',
      "require('http').createServer((q, r) => r.end()).listen(+process.env.PORT, '0.0.0.0')",
    ],
  },
  silent: {
    command: [
      node,
      '-e',
      "require('net').createServer(() => undefined).listen(+process.env.PORT, '127.0.0.1')",
    ],
    health: '/',
    startTimeout: '2s',
  },
}

function config(all: Readonly<Record<string, object>>): string {
  const routes = Object.fromEntries(
    Object.keys(all)
      .filter((name) => name !== 'forking')
      .map((name) => [name === 'web' ? '/*' : `/${name}/*`, { to: name, limit: '100000/s' }]),
  )
  return `export default ${JSON.stringify({ name: 'hostile', services: all, edge: { routes } })}\n`
}

let here: Place
let doors: Readonly<Record<Door, NetConnectOpts>>
let pids: readonly number[] = []
beforeAll(async () => {
  here = await makePlace()
  here.write('holdfast.config.ts', config(services))
  const up = await here.up()
  mustRun(up)
  const socketOf = (file: string): string =>
    (JSON.parse(readFileSync(join(here.data, file), 'utf8')) as { socket: string }).socket
  doors = {
    edge: { port: here.edgePort, host: '127.0.0.1' },
    control: { port: here.controlPort, host: '127.0.0.1' },
    'supervisor socket': { path: socketOf('run/supervisor.json') },
    'edge socket': { path: socketOf('edge/edge.json') },
  }
  pids = processes.map((name) => here.pidOf(name))
})
afterAll(() => here.clear())

/** What comes back for raw bytes, until the other side closes or half a second has passed. */
function speak(door: Door, bytes: Buffer | string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(doors[door])
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(end, 500)
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
    socket.on('error', end)
    socket.on('close', end)
    socket.write(bytes)
  })
}

const head = (line: string, ...fields: string[]): string =>
  [line, 'Host: 127.0.0.1', ...fields, '', ''].join('\r\n')

function randomBytes(count: number): Buffer {
  const random = seededRandom(7)
  return Buffer.from(Array.from({ length: count }, () => Math.floor(random.next() * 256)))
}

const garbage: readonly (readonly [string, Buffer | string])[] = [
  ['random bytes', randomBytes(50_000)],
  ['NULs', Buffer.alloc(1000)],
  ['a TLS greeting', Buffer.from('16030102000100', 'hex')],
  ['a head of a megabyte', head('GET / HTTP/1.1', `X: ${'a'.repeat(1e6)}`)],
  ['5,000 fields', head('GET / HTTP/1.1', ...Array.from({ length: 5000 }, (_, index) => `h${index}: x`))],
  ['an unknown method', 'FOO / HTTP/9.9\r\n\r\n'],
  [
    'two framings',
    `${head('POST / HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\nGET /x HTTP/1.1\r\n\r\n`,
  ],
  ['two lengths', `${head('POST / HTTP/1.1', 'Content-Length: 5', 'Content-Length: 6')}aaaaaa`],
  ['a target that is none', head('GET http://[::::/ HTTP/1.1')],
]

test.each(Object.keys({ edge: 0, control: 0, 'supervisor socket': 0, 'edge socket': 0 }) as Door[])(
  'garbage on %s is refused, and everything goes on',
  { timeout: 60_000 },
  async (door) => {
    const answers: [string, string][] = []
    for (const [name, bytes] of garbage) answers.push([name, await speak(door, bytes)])
    expect(answers.filter(([, answer]) => !/^(HTTP\/1\.1 4\d\d |$)/.test(answer))).toEqual([])
    const json = (line: string, body: string): string =>
      `${head(line, `Content-Length: ${body.length}`)}${body}`
    await speak(door, json('PUT /replicas HTTP/1.1', '{{{'))
    await speak(door, json('PUT /policy HTTP/1.1', '['.repeat(200_000)))
    await speak(door, json('POST /stop HTTP/1.1', '{"replicas"'))
    expect((await fetch(here.edgeUrl)).status).toBe(200)
    expect(processes.map((name) => here.pidOf(name))).toEqual(pids)
  },
)

test.each(['edge', 'control', 'supervisor socket', 'edge socket'] as const)(
  'two thousand slow heads on %s are cut, and memory is bounded',
  { timeout: 60_000 },
  async (door) => {
    const before = processes.map((name) => residentMiB(here.pidOf(name)))
    const sockets: Socket[] = []
    let closed = 0
    for (let count = 0; count < 2000; count++) {
      const socket = connect(doors[door])
      socket.on('error', () => undefined)
      socket.on('close', () => closed++)
      socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ')
      sockets.push(socket)
      if (count % 100 === 99) await systemClock.sleep(10)
    }
    const drip = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('x')
    }, 500)
    expect((await fetch(here.edgeUrl)).status).toBe(200)
    await until('all to be cut', () => closed === sockets.length, 40_000)
    clearInterval(drip)
    const grown = processes.map((name, index) => residentMiB(here.pidOf(name)) - (before[index] ?? 0))
    expect(Math.max(...grown)).toBeLessThan(200)
    await until(
      'control to answer',
      async () => (await here.client().call('environment.status', {})).state === 'healthy',
    )
    expect(processes.map((name) => here.pidOf(name))).toEqual(pids)
  },
)

test(
  'services that misbehave harm nobody else, and facts say what was done',
  { timeout: 90_000 },
  async () => {
    here.write('holdfast.config.ts', config({ ...services, ...worse }))
    expect(here.run('reload').code).toBe(0)
    await until(
      'the facts',
      async () => {
        const { facts } = await here.client().call('timeline.read', { limit: 1000 })
        const kinds = new Set(facts.map(({ kind, data }) => `${kind} ${JSON.stringify(data?.['service'])}`))
        return ['replica-exposed "wide', 'replica-crashed "forking', 'service-unhealthy "silent'].every(
          (each) => kinds.has(`environment.${each}"`),
        )
      },
      40_000,
    )
    const statusAt = async (path: string): Promise<number> => (await fetch(`${here.edgeUrl}${path}`)).status
    expect(await statusAt('/')).toBe(200)
    expect(await statusAt('/stubborn/')).toBe(200)
    expect(await statusAt('/failing/x')).toBe(500)
    expect(await statusAt('/wide/x')).toBe(503)
    expect(await statusAt('/silent/x')).toBeGreaterThanOrEqual(503)
    const log = readFileSync(join(here.data, 'logs', 'loud', '1.log'))
    // 16 MiB and what 50 MB/s add within a tenth of a second, and a second more for a machine that is busy.
    expect(log.length).toBeLessThan(80 * 2 ** 20)
    expect(here.run('logs', 'loud').code).toBe(0)
    expect(here.run('down').code).toBe(0)
    expect(processesWith(here.directory)).toEqual([])
  },
)
