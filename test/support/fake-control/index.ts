import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { operationCatalogue } from '../../../src/contracts/index.ts'
import { systemClock, type Clock } from '../../../src/kernel/std/index.ts'
import { pageHeaders } from '../../../src/server/control/doors/console-files.ts'
import { answerers } from './answers.ts'
import { startJob } from './jobs.ts'
import { Refusal } from './refusal.ts'
import { followFacts, followJob, followLog } from './streams.ts'
import { createWorld, type World } from './world.ts'

/** A control that is not there: it serves the console and answers its operations from memory. */
export interface FakeControl {
  readonly url: string
  readonly world: World
  /** A sign-in link that is good once. */
  link(): string
  /** Operations that were called, oldest first. */
  readonly called: { readonly name: string; readonly input: Record<string, unknown> }[]
  /** Drops every connection and answers no more, as a control that was killed. */
  goAway(): Promise<void>
  /** Listens again at the same address. */
  comeBack(): Promise<void>
  close(): Promise<void>
}

/** How the fake behaves. */
export interface FakeOptions {
  /** Folder of the built console. */
  readonly consoleDirectory: string
  readonly clock?: Clock
  readonly port?: number
  readonly extraServices?: number
  /** Whether the service web runs in two groups. Default false. */
  readonly isRollingOut?: boolean
  /** How long a step of a job takes. Default 250. */
  readonly stepMs?: number
}

interface Fake {
  readonly world: World
  readonly links: Set<string>
  readonly called: { name: string; input: Record<string, unknown> }[]
  readonly options: FakeOptions
  readonly streams: Set<AbortController>
}

const cookie = 'holdfast_session=fake'
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  response.end(JSON.stringify(value))
}

async function sendFile(
  path: string,
  response: ServerResponse,
  { consoleDirectory }: FakeOptions,
): Promise<void> {
  const wanted = normalize(path).replace(/^\/+/, '')
  const name = extname(wanted) === '' ? 'index.html' : wanted
  try {
    const content = await readFile(join(consoleDirectory, name))
    const type = types[extname(name)] ?? 'application/octet-stream'
    response.writeHead(200, { ...pageHeaders, 'content-type': type })
    response.end(content)
  } catch {
    response.writeHead(404).end()
  }
}

async function sendStream(
  fake: Fake,
  response: ServerResponse,
  open: (signal: AbortSignal) => AsyncIterable<unknown>,
): Promise<void> {
  const abort = new AbortController()
  fake.streams.add(abort)
  response.on('close', () => abort.abort())
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.write('\n')
  for await (const item of open(abort.signal)) response.write(`${JSON.stringify(item)}\n`)
  fake.streams.delete(abort)
  response.end()
}

function signIn(fake: Fake, input: Record<string, unknown>, response: ServerResponse): void {
  if (!fake.links.delete(String(input['link']))) {
    const message = 'This link was used already, or it has expired.'
    throw new Refusal({ status: 401, code: 'access.unauthenticated', message })
  }
  response.setHeader('set-cookie', `${cookie}; HttpOnly; SameSite=Strict; Path=/`)
  sendJson(response, 200, { actor: 'person:ada', role: 'administer', expiresAt: 0 })
}

function validate(name: string, input: unknown): void {
  const operation = operationCatalogue.find((one) => one.name === name)
  const result = operation?.input.safeParse(input)
  if (operation === undefined)
    throw new Refusal({ status: 404, code: 'operations.unknown', message: `no operation ${name}` })
  const issue = result?.error?.issues[0]
  if (issue === undefined) return
  const path = issue.path.join('.')
  throw new Refusal({ status: 400, code: 'operations.invalid-input', message: issue.message, path })
}

interface Exchange {
  readonly name: string
  readonly input: Record<string, unknown>
  readonly response: ServerResponse
}

function answer(fake: Fake, { name, input, response }: Exchange): void | Promise<void> {
  const { world } = fake
  const given = input as never
  const stream = (open: (signal: AbortSignal) => AsyncIterable<unknown>): Promise<void> =>
    sendStream(fake, response, open)
  if (operationCatalogue.some((one) => one.name === name && one.answers === 'job')) {
    const asked = { operation: name, input, stepMs: fake.options.stepMs ?? 250 }
    return sendJson(response, 202, startJob(world, asked))
  }
  switch (name) {
    case 'access.sign-out':
      response.setHeader('set-cookie', 'holdfast_session=; Max-Age=0; Path=/')
      return sendJson(response, 200, {})
    case 'timeline.follow':
      return stream((signal) => followFacts(given, world, signal))
    case 'jobs.follow':
      return stream((signal) => followJob(given, world, signal))
    case 'environment.logs':
      return stream((signal) => followLog(given, world.clock, signal))
    default:
      return sendJson(response, 200, answerers[name]?.(given, world))
  }
}

async function operate(
  fake: Fake,
  request: IncomingMessage,
  exchange: Omit<Exchange, 'input'>,
): Promise<void> {
  const { name, response } = exchange
  const input = await bodyOf(request)
  if (name === 'access.sign-in') return signIn(fake, input, response)
  if (!(request.headers.cookie ?? '').includes(cookie)) {
    throw new Refusal({ status: 401, code: 'access.unauthenticated', message: 'Nobody is signed in.' })
  }
  fake.called.push({ name, input })
  validate(name, input)
  return answer(fake, { ...exchange, input })
}

async function serve(fake: Fake, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://fake')
  if (!pathname.startsWith('/ops/')) return sendFile(pathname, response, fake.options)
  try {
    await operate(fake, request, { name: decodeURIComponent(pathname.slice('/ops/'.length)), response })
  } catch (error) {
    const { status = 500, code = 'kernel.unexpected', message, path } = error as Partial<Refusal> & Error
    if (!response.headersSent)
      sendJson(response, status, { code, kind: 'user', status, detail: message, path })
    else response.destroy()
  }
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

/** Starts the fake on a free port, or on the one given. */
export async function startFakeControl(options: FakeOptions): Promise<FakeControl> {
  const world = createWorld({
    clock: options.clock ?? systemClock,
    extraServices: options.extraServices ?? 0,
    isRollingOut: options.isRollingOut ?? false,
  })
  const fake: Fake = { world, links: new Set(), called: [], options, streams: new Set() }
  const create = (): Server => createServer((request, response) => void serve(fake, request, response))
  let server = create()
  const port = await listen(server, options.port ?? 0)
  let linkNumber = 0
  const goAway = async (): Promise<void> => {
    for (const stream of fake.streams) stream.abort()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${port}`,
    world,
    called: fake.called,
    link: () => {
      const link = `link-of-the-fake-control-${++linkNumber}`
      fake.links.add(link)
      return `http://127.0.0.1:${port}/#sign-in=${link}`
    },
    goAway,
    comeBack: async () => {
      server = create()
      await listen(server, port)
    },
    close: goAway,
  }
}
