import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createRequire } from 'node:module'
import express, { type Request as ExpressRequest } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { createLimits, type Limits } from '../index.ts'
import { limitExpress } from './express.ts'
import { limitFastify } from './fastify.ts'
import { limitHono } from './hono.ts'
import { limitHttp, type HttpOptions, type HttpRules } from './node.ts'

// Its own types are those of Express 5.
const express4 = createRequire(import.meta.url)('express4') as typeof express

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

type Settings = Parameters<typeof createLimits>[0]
type Setup = (
  limits: Limits,
  rules: HttpRules<never>,
  options: HttpOptions<never>,
) => Promise<RequestListener>

/** Every framework, with a handler that answers `ok` to everything, `/slow` when it is let go. */
const frameworks = {
  'node:http': (limits: Limits, rules: HttpRules<never>, options: HttpOptions<never>) =>
    Promise.resolve(
      limitHttp(limits, rules, options)((_, response) => void response.end('ok')) as RequestListener,
    ),
  'Express 4': (limits: Limits, rules: HttpRules<never>, options: HttpOptions<never>) => {
    const app = express4()
    app.use(limitExpress(limits, rules, options) as never)
    app.use((_request, response) => void response.send('ok'))
    return Promise.resolve(app)
  },
  'Express 5': (limits: Limits, rules: HttpRules<never>, options: HttpOptions<never>) => {
    const app = express()
    app.use('/', limitExpress(limits, rules, options) as never)
    app.use((_request, response) => void response.send('ok'))
    return Promise.resolve(app)
  },
  'Fastify 5': async (limits: Limits, rules: HttpRules<never>, options: HttpOptions<never>) => {
    const app = fastify()
    await app.register(limitFastify, { limits, rules, ...options })
    app.all('/login', () => 'ok')
    app.setNotFoundHandler((_request, reply) => void reply.code(200).send('ok'))
    await app.ready()
    cleanups.push(() => app.close())
    return (request, response) => app.routing(request, response)
  },
  'Hono 4': (limits: Limits, rules: HttpRules<never>, options: HttpOptions<never>) => {
    const app = new Hono()
    app.use(limitHono(limits, rules, options) as never)
    app.all('*', (context) => context.text('ok'))
    return Promise.resolve(getRequestListener(app.fetch) as RequestListener)
  },
} satisfies Readonly<Record<string, Setup>>

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

async function serve(listener: RequestListener) {
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return (path: string, { method = 'GET', headers = {} } = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = httpRequest({ port, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      })
      sent.on('error', reject)
      sent.end()
    })
}

async function open(
  settings: Settings,
  rules: HttpRules<never>,
  { setup = frameworks['node:http'], ...options }: HttpOptions<never> & { setup?: Setup } = {},
) {
  const limits = createLimits(settings, { processes: 1 })
  cleanups.push(() => limits.close())
  return { limits, send: await serve(await setup(limits, rules, options)) }
}

describe.each(Object.entries(frameworks))('%s', (_, setup) => {
  test('refuses with a problem, and says how long', async () => {
    const { send } = await open({ login: '1/min per ip' }, { 'POST /login': 'login' }, { setup })
    const post = () => send('/login', { method: 'POST' })
    const first = await post()
    expect([first.status, first.body]).toEqual([200, 'ok'])
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"login";q=1;w=60',
      ratelimit: '"login";r=0;t=60',
    })
    expect(first.headers['retry-after']).toBeUndefined()
    const second = await post()
    expect(second.status).toBe(429)
    expect(second.headers).toMatchObject({
      'retry-after': '60',
      ratelimit: '"login";r=0;t=60',
      'content-type': expect.stringMatching(/^application\/problem\+json/),
    })
    expect(JSON.parse(second.body)).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      limit: 'login',
      rule: '1/min per ip',
      'violated-policies': ['login'],
      detail: expect.stringContaining('ip 127.0.0.1 has used 1 of 1'),
    })
    expect((await send('/login')).status).toBe(200)
    expect((await send('/elsewhere')).headers['ratelimit']).toBeUndefined()
  })

  test('limits what finds no route, and paths however they are written', async () => {
    const { send } = await open(
      { all: '3/min', login: '1/min' },
      { '/*': 'all', '/login': 'login' },
      { setup },
    )
    expect((await send('/login')).status).toBe(200)
    const spellings = ['/LOGIN', '/login/', '//login', '/lo%67in', '/login?x=1', '/./login', '/login;a=b']
    const answers = await Promise.all(spellings.map((path) => send(path)))
    expect(answers.map(({ status }) => status)).toEqual(spellings.map(() => 429))
    for (const status of [200, 200, 200, 429]) expect((await send(`/nothing/${status}`)).status).toBe(status)
  })

  test('what goes on at once ends with the answer', async () => {
    const { send } = await open({ slow: '1 at once' }, { '/*': 'slow' }, { setup })
    for (let request = 0; request < 3; request++) {
      expect((await send('/x')).status).toBe(200)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })

  test('a queue lets wait', async () => {
    const { send } = await open({ all: '20/s burst 1 queue 5 for 2s' }, { '/*': 'all' }, { setup })
    const answers = await Promise.all([1, 2, 3].map(() => send('/x')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

describe('rules', () => {
  test('count by user where one is proved, else by address', async () => {
    const user = (request: { headers: Record<string, unknown> }) =>
      request.headers['x-user'] as string | undefined
    const { send } = await open(
      { api: '1/min per user' },
      { '/*': 'api' },
      {
        by: { user },
      },
    )
    const as = async (name?: string) =>
      (await send('/', { headers: name === undefined ? {} : { 'x-user': name } })).status
    expect([await as('a'), await as('a'), await as('b'), await as(), await as()]).toEqual([
      200, 429, 200, 200, 429,
    ])
  })

  test('count by header, cookie, host and method', async () => {
    const settings = { api: '1/min per header x-tenant and cookie sid and host and method' }
    const { send } = await open(settings, { '/*': 'api' })
    const headers = { 'x-tenant': 'a', cookie: 'theme=dark; sid=1', host: 'Example.com:80' }
    expect((await send('/', { headers })).status).toBe(200)
    expect((await send('/', { headers: { ...headers, host: 'example.com' } })).status).toBe(429)
    expect((await send('/', { headers: { ...headers, 'x-tenant': 'b' } })).status).toBe(200)
    expect((await send('/', { headers: { ...headers, cookie: 'sid=2' } })).status).toBe(200)
    expect((await send('/', { headers, method: 'POST' })).status).toBe(200)
  })

  test('cost, skip, several limits, dry runs', async () => {
    const seen: string[] = []
    const rules = {
      '/upload': {
        limit: ['bytes', 'all'],
        cost: (request: { headers: Record<string, string> }) => Number(request.headers['x-cost']),
      },
      '/free': { limit: 'all', skip: () => true },
      '/dry': { limit: 'one', dryRun: true },
    } as HttpRules<never>
    const settings = { bytes: '10/min', all: '100/min', one: '1/min' }
    const { send, limits } = await open(settings, rules, {
      onRefusal: ({ because }) => void seen.push(because),
    })
    const upload = async (cost: number) =>
      (await send('/upload', { headers: { 'x-cost': String(cost) } })).status
    expect([await upload(8), await upload(3), await upload(2)]).toEqual([200, 429, 200])
    expect((await send('/free')).headers['ratelimit']).toBeUndefined()
    expect([(await send('/dry')).status, (await send('/dry')).status]).toEqual([200, 200])
    expect(seen).toHaveLength(2)
    expect(limits.explain().standing.map(({ used }) => used)).toEqual([10, 10, 1])
  })

  test('fields can be the old ones, or none', async () => {
    const legacy = await open({ all: '5/min' }, { '/*': 'all' }, { fields: 'legacy' })
    expect((await legacy.send('/')).headers).toMatchObject({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '4',
      'x-ratelimit-reset': '12',
    })
    const off = await open({ all: '1/min' }, { '/*': 'all' }, { fields: 'off' })
    await off.send('/')
    const { headers } = await off.send('/')
    expect([headers['ratelimit'], headers['retry-after']]).toEqual([undefined, '60'])
  })

  test('a policy names each rule once', async () => {
    const { send } = await open({ 'say "hi"': ['9/min', '2 at once', '5 in any hour'] }, { '/*': 'say "hi"' })
    const { headers } = await send('/')
    expect(headers['ratelimit-policy']).toBe(
      String.raw`"say \"hi\"";q=9;w=60, "say \"hi\"-2";q=2;qu="concurrent-requests", "say \"hi\"-3";q=5;w=3600`,
    )
    expect(headers['ratelimit']).toMatch(/^"say \\"hi\\"-2";r=1;t=\d+$/)
  })

  test('mistakes show at start', () => {
    const limits = createLimits({ api: '1/min per user', 'per-ip': '1/min per ip' })
    cleanups.push(() => limits.close())
    expect(() => limitHttp(limits, { '/*': 'api' })).toThrow('nobody says how to read')
    expect(() => limitHttp(limits as Limits, { '/*': 'apis' })).toThrow('no limit "apis"')
    expect(() => limitHttp(limits, { 'login please': 'per-ip' })).toThrow('is no route')
    expect(() => limitHttp(limits, { '/*': 'per-ip' }, { trustProxies: ['10.0.0.0/33'] })).toThrow(
      'is no address',
    )
  })

  test('Express hands its own request to readers', async () => {
    const limits = createLimits({ api: '1/min per user' })
    cleanups.push(() => limits.close())
    const app = express()
    app.use(
      limitExpress(
        limits,
        { '/*': 'api' },
        { by: { user: (request: ExpressRequest) => request.get('x-user') } },
      ),
    )
    app.get('/', (_request, response) => void response.send('ok'))
    const send = await serve(app)
    expect((await send('/', { headers: { 'x-user': 'a' } })).status).toBe(200)
    expect((await send('/', { headers: { 'x-user': 'a' } })).status).toBe(429)
  })

  test('an error of a reader goes where errors go', async () => {
    const limits = createLimits({ api: '1/min per user' })
    cleanups.push(() => limits.close())
    const app = fastify()
    cleanups.push(() => app.close())
    const user = (): string => {
      throw new Error('no session')
    }
    await app.register(limitFastify, { limits, rules: { '/*': 'api' }, by: { user } })
    app.get('/', () => 'ok')
    expect((await app.inject('/')).statusCode).toBe(500)
  })
})
