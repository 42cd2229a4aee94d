import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { connect, type AddressInfo, type Socket } from 'node:net'
import fastifyRateLimit from '@fastify/rate-limit'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import fastify, { type FastifyInstance } from 'fastify'
import { createLimits } from 'holdfast-limit'
import { limitExpress } from 'holdfast-limit/express'
import { limitFastify } from 'holdfast-limit/fastify'
import { interleaved, median, type BenchResult, type Figure } from './harness.ts'

const ROUNDS = 101
const WARM_UP_ROUNDS = 5
/** Requests in one measurement, one after another on one connection that is kept. */
const REQUESTS = 400
const RULE = '1000000/min per ip'

/** A server, and a connection that asks it for `/`. */
interface Contestant {
  readonly server: Server
  readonly socket: Socket
}

/** Microseconds that one request costs with our limiter and with the peer, less what it costs without any. */
export async function run(): Promise<BenchResult> {
  const figures = [
    ...(await compare('Express', `express-rate-limit ${versionOf('express-rate-limit')}`, {
      none: expressApp(),
      ours: expressApp(limitExpress(createLimits({ api: RULE }), { '/*': 'api' }) as express.RequestHandler),
      theirs: expressApp(
        rateLimit({ windowMs: 60_000, limit: 1_000_000, standardHeaders: 'draft-8', legacyHeaders: false }),
      ),
    })),
    ...(await compare('Fastify', `@fastify/rate-limit ${versionOf('@fastify/rate-limit')}`, {
      none: await fastifyApp(() => undefined),
      ours: await fastifyApp((app) =>
        app.register(limitFastify, { limits: createLimits({ api: RULE }), rules: { '/*': 'api' } }),
      ),
      theirs: await fastifyApp((app) =>
        app.register(fastifyRateLimit, { max: 1_000_000, timeWindow: 60_000, enableDraftSpec: true }),
      ),
    })),
  ]
  return { bench: 'middleware', figures }
}

function versionOf(name: string): string {
  const path = createRequire(import.meta.url)
    .resolve(name)
    .replace(/(node_modules\/(?:@[^/]+\/)?[^/]+)\/.*$/, '$1/package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

function expressApp(...handlers: readonly express.RequestHandler[]): RequestListener {
  const app = express()
  for (const handler of handlers) app.use(handler)
  app.get('/', (_request, response) => void response.end('ok'))
  return app as unknown as RequestListener
}

async function fastifyApp(register: (app: FastifyInstance) => unknown): Promise<RequestListener> {
  const app = fastify()
  await register(app)
  app.get('/', (_request, reply) => reply.send('ok'))
  await app.ready()
  return (request, response) => void app.routing(request, response)
}

type Names = 'none' | 'ours' | 'theirs'

async function compare(
  framework: string,
  peer: string,
  listeners: Readonly<Record<Names, RequestListener>>,
): Promise<readonly Figure[]> {
  const { none, ours, theirs } = {
    none: await start(listeners.none),
    ours: await start(listeners.ours),
    theirs: await start(listeners.theirs),
  }
  const contestants = { none: () => timeOf(none), ours: () => timeOf(ours), theirs: () => timeOf(theirs) }
  await interleaved(contestants, WARM_UP_ROUNDS)
  const overheads: { readonly ours: number; readonly theirs: number }[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const us = await interleaved(contestants, 1)
    bare.push(us.none)
    overheads.push({ ours: us.ours - us.none, theirs: us.theirs - us.none })
  }
  for (const { server, socket } of [none, ours, theirs]) {
    socket.destroy()
    server.close()
  }
  const value = median(overheads.map((round) => round.ours))
  const peerValue = median(overheads.map((round) => round.theirs))
  return [
    {
      name: `${framework}: a limiter's part of a request`,
      value,
      unit: 'us of a core',
      peer,
      peerValue,
      ratio: value / peerValue,
      limit: 'at most half of the peer; real requests over loopback, client in the same process',
    },
    { name: `${framework}: a request without a limiter`, value: median(bare), unit: 'us of a core' },
  ]
}

async function start(listener: RequestListener): Promise<Contestant> {
  const server = createServer({ keepAliveTimeout: 600_000 }, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return { server, socket }
}

const request = Buffer.from('GET / HTTP/1.1\r\nHost: bench\r\n\r\n')

/** Microseconds of a core per request; both ends are in this process, and the client's is the same for all. */
async function timeOf({ socket }: Contestant): Promise<number> {
  globalThis.gc?.()
  const before = process.cpuUsage()
  for (let sent = 0; sent < REQUESTS; sent++) await ask(socket)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / REQUESTS
}

/** One request and its answer, which fits into one piece over loopback. */
function ask(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data: Buffer) => {
      if (data.toString('latin1', 9, 12) === '200') resolve()
      else reject(new Error(data.toString('latin1', 0, 60)))
    })
    socket.write(request)
  })
}
