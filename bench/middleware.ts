import { readFileSync } from 'node:fs'
import { IncomingMessage, ServerResponse, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import fastifyRateLimit from '@fastify/rate-limit'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import fastify, { type FastifyInstance } from 'fastify'
import { createLimits } from 'holdfast-limit'
import { limitExpress } from 'holdfast-limit/express'
import { limitFastify } from 'holdfast-limit/fastify'
import { interleaved, type BenchResult, type Figure } from './harness.ts'

const ROUNDS = 61
const WARM_UP_ROUNDS = 8
/** Requests in one measurement. */
const REQUESTS = 4000
/** What counts is a quick round, in which no other program of the machine was in the way. */
const QUICK_SHARE = 0.1
const RULE = '1000000/min per ip'

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
  return app
}

async function fastifyApp(register: (app: FastifyInstance) => unknown): Promise<RequestListener> {
  const app = fastify()
  await register(app)
  app.get('/', (_request, reply) => reply.send('ok'))
  await app.ready()
  return (request, response) => app.routing(request, response)
}

type Names = 'none' | 'ours' | 'theirs'

async function compare(
  framework: string,
  peer: string,
  listeners: Readonly<Record<Names, RequestListener>>,
): Promise<readonly Figure[]> {
  const rounds: Record<Names, number[]> = { none: [], ours: [], theirs: [] }
  const contestants = {
    none: () => timeOf(listeners.none),
    ours: () => timeOf(listeners.ours),
    theirs: () => timeOf(listeners.theirs),
  }
  await interleaved(contestants, WARM_UP_ROUNDS)
  for (let round = 0; round < ROUNDS; round++) {
    const measured = await interleaved(contestants, 1)
    for (const name of ['none', 'ours', 'theirs'] as const) rounds[name].push(measured[name])
  }
  const [none, ours, theirs] = [quick(rounds.none), quick(rounds.ours), quick(rounds.theirs)]
  const [value, peerValue] = [ours - none, theirs - none]
  return [
    {
      name: `${framework}: a limiter's part of a request`,
      value,
      unit: 'us of a core',
      peer,
      peerValue,
      ratio: value / peerValue,
      limit: 'at most half of the peer',
    },
    {
      name: `${framework}: a request without a limiter`,
      value: none,
      unit: 'us of a core',
      limit:
        "handed to the framework in the process, in Node's own request and response; no network, no parser",
    },
  ]
}

function quick(rounds: readonly number[]): number {
  return rounds.toSorted((a, b) => a - b)[Math.floor(rounds.length * QUICK_SHARE)] ?? Number.NaN
}

const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: '127.0.0.1' })

/** Microseconds of a core per request, the garbage that it leaves included. */
async function timeOf(listener: RequestListener): Promise<number> {
  const before = process.cpuUsage()
  for (let sent = 0; sent < REQUESTS; sent++) await ask(listener)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / REQUESTS
}

/** One request, until its answer is complete. */
function ask(listener: RequestListener): Promise<void> {
  const request = new IncomingMessage(socket)
  request.method = 'GET'
  request.url = '/'
  request.headers = { host: 'bench', 'user-agent': 'bench' }
  const response = new ServerResponse(request)
  return new Promise((resolve, reject) => {
    const end = response.end.bind(response)
    response.end = ((...parts: Parameters<typeof end>) => {
      const ended = end(...parts)
      if (response.statusCode === 200) resolve()
      else reject(new Error(`answered ${response.statusCode}`))
      return ended
    }) as typeof response.end
    listener(request, response)
  })
}
