import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { jobOperations, outputJsonSchema } from '../../../contracts/index.ts'
import { HoldfastError, systemCode } from '../../../kernel/std/index.ts'
import type { House } from '../house.ts'
import { authorise, type DoorLimit, type Refusal, type Visitor } from '../stages/index.ts'
import { findConsole } from './console-files.ts'
import { doorUrl } from './door-url.ts'
import { isLoopback, refuseCrossOrigin, refuseStrangeHost } from './guards.ts'
import type { Metrics } from './metrics.ts'
import { openApiDocument } from './open-api.ts'
import { addOperations, credentialsOf, sendProblem } from './operations-door.ts'
import { addPages } from './pages.ts'
import { ownError, refusalError, retryAfter } from './problems.ts'

/** Where and how control listens. */
export interface DoorSettings {
  /** Address; anything but loopback needs `tls`. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** An inherited listening socket; wins over host and port. */
  readonly descriptor?: number | undefined
  /** Certificate chain and private key, PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined
  /** Further names under which people reach it. */
  readonly hosts?: readonly string[] | undefined
}

/** What the doors stand on. */
export interface DoorGround {
  readonly house: House
  readonly settings: DoorSettings
  readonly metrics: Metrics
  /** Version of the program. */
  readonly version: string
  /** Directory of the built console; default: where a clone or a package has it. */
  readonly consoleDirectory?: string
}

/** The open doors. */
export interface Doors {
  /** As `http://127.0.0.1:8400`. */
  readonly url: string
  /** Stops listening, ends streams, lets other requests finish for a moment, then cuts what is left. */
  close(): Promise<void>
}

const bodyLimitBytes = 2 ** 20
const maxConnections = 1000
/** Node looks only every 30 s by default: who sends its head drop by drop would hold all connections until then. */
const slowHeads = { headersTimeout: 5000, connectionsCheckingInterval: 1000 }
const closePatienceMs = 2000
const closeIdleMs = 20
/** A connection without a byte in either direction is cut; streams have heartbeats, so only stalled readers are. */
const idleTimeoutMs = 60_000

function tlsRequired(host: string): HoldfastError {
  return new HoldfastError({
    code: 'control.tls-required',
    kind: 'user',
    message: `control would listen on ${host} without TLS, and everybody on the way could read its tokens`,
    hint: 'listen on 127.0.0.1 and come through SSH, or name a certificate under "control.tls"',
    path: 'control.tls',
  })
}

async function readPem(file: string, path: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new HoldfastError({
      code: 'control.certificate-unreadable',
      kind: 'user',
      message: `${file} cannot be read (${systemCode(cause) ?? 'unknown'})`,
      hint: 'name a PEM file that control may read',
      path,
      cause,
    })
  })
}

async function createApp({ settings }: DoorGround): Promise<FastifyInstance> {
  const common = {
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: 30_000,
    connectionTimeout: idleTimeoutMs,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
    trustProxy: false,
    routerOptions: { maxParamLength: 200 },
    exposeHeadRoutes: true,
    maxRequestsPerSocket: 10_000,
  } as const
  if (settings.tls === undefined) {
    return fastify({ ...common, http: { maxHeaderSize: 16_384, ...slowHeads } })
  }
  const https = {
    cert: await readPem(settings.tls.certificate, 'control.tls.certificate'),
    key: await readPem(settings.tls.key, 'control.tls.key'),
    minVersion: 'TLSv1.2',
    maxHeaderSize: 16_384,
    ...slowHeads,
  } as const
  return fastify({ ...common, https })
}

function refuseStrangers(request: FastifyRequest, settings: DoorSettings): void {
  const { headers, method } = request
  const fetchSite = headers['sec-fetch-site']
  refuseStrangeHost(headers.host, { host: settings.host, hosts: settings.hosts ?? [] })
  refuseCrossOrigin({
    method,
    scheme: settings.tls === undefined ? 'http' : 'https',
    host: headers.host,
    origin: headers.origin,
    fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
    hasCookie: headers.cookie !== undefined,
  })
}

/** Who asks, for the doors' own limits; a wrong token is counted as nobody and refused by the stages. */
function visitorOf(house: House, request: FastifyRequest): Visitor {
  const credentials = credentialsOf(request)
  try {
    return house.access.authenticate(credentials)
  } catch {
    return house.access.authenticate({ ...credentials, bearer: null, session: null })
  }
}

function takeDoor(house: House, request: FastifyRequest): Refusal | null {
  const visitor = visitorOf(house, request)
  return house.limits.takeDoor(doorLimitOf(visitor), visitor)
}

function doorLimitOf({ caller }: Visitor): DoorLimit {
  if (caller.permission === 'public') return 'anonymous'
  return caller.permission === 'use' ? 'applications' : 'signedIn'
}

function addGuards(app: FastifyInstance, { house, settings }: DoorGround): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    if (settings.tls !== undefined) reply.header('strict-transport-security', 'max-age=31536000')
    const refusal = takeDoor(house, request)
    if (refusal !== null) {
      reply.header('retry-after', retryAfter(refusal))
      return sendProblem(reply, refusalError(refusal))
    }
    refuseStrangers(request, settings)
  })
  app.setErrorHandler(async (error, _request, reply) => {
    const own = ownError(error)
    if (own.kind === 'bug')
      house.context.log.error({ code: own.code, error: own.message }, 'a request failed')
    return sendProblem(reply, own)
  })
  app.setNotFoundHandler(async (_request, reply) => {
    const parts = { code: 'control.unknown-path', kind: 'user', message: 'there is nothing here' } as const
    return sendProblem(reply, new HoldfastError({ ...parts, hint: 'operations are POST /ops/<name>' }))
  })
}

function addReadings(app: FastifyInstance, { house, metrics, version }: DoorGround): void {
  const viewOnly = (request: FastifyRequest, name: string): void =>
    authorise(house.access.authenticate(credentialsOf(request)).caller, { name, permission: 'view' })
  const jobSchema = outputJsonSchema(jobOperations.get)
  let document = ''
  app.get('/healthz', async (_request, reply) => reply.type('application/json').send('{"ok":true}'))
  app.get('/openapi.json', async (request, reply) => {
    viewOnly(request, 'openapi.json')
    if (document === '') document = JSON.stringify(openApiDocument(house.operations, { version, jobSchema }))
    return reply.type('application/json').send(document)
  })
  app.get('/metrics', async (request, reply) => {
    viewOnly(request, 'metrics')
    return reply.type(metrics.contentType).send(await metrics.text(house))
  })
}

async function listen(app: FastifyInstance, settings: DoorSettings): Promise<AddressInfo> {
  const { host, port, descriptor } = settings
  // Fastify hands its options on to net.Server.listen, where a descriptor wins over host and port.
  const options = descriptor === undefined ? { host, port } : { host, fd: descriptor }
  await app.listen(options)
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('control listens on no address')
  return address
}

async function close(app: FastifyInstance): Promise<void> {
  const { server } = app
  await new Promise<void>((resolve) => {
    // A connection is kept alive when its last answer has left, which may be after now.
    const idle = setInterval(() => server.closeIdleConnections(), closeIdleMs)
    const end = (): void => {
      clearInterval(idle)
      clearTimeout(cut)
      resolve()
    }
    const cut = setTimeout(() => {
      server.closeAllConnections()
      end()
    }, closePatienceMs)
    server.close(end)
    server.closeIdleConnections()
  })
  await app.close()
}

/**
 * Opens the doors: operations, OpenAPI, health, metrics and the console.
 * Errors: `control.tls-required`, `control.certificate-unreadable`, `control.port-in-use`.
 */
export async function openDoors(ground: DoorGround): Promise<Doors> {
  const { house, settings } = ground
  if (!isLoopback(settings.host) && settings.tls === undefined) throw tlsRequired(settings.host)
  const app = await createApp(ground)
  app.removeContentTypeParser('text/plain')
  addGuards(app, ground)
  const closing = new AbortController()
  addOperations(app, { house, isSecure: settings.tls !== undefined, closing: closing.signal })
  app.server.maxConnections = maxConnections
  addReadings(app, ground)
  await addPages(app, ground.consoleDirectory ?? findConsole())
  const address = await listen(app, settings).catch((error: unknown) => {
    if (systemCode(error) !== 'EADDRINUSE') throw error
    throw new HoldfastError({
      code: 'control.port-in-use',
      kind: 'user',
      message: `another program listens on ${settings.host}:${settings.port}`,
      hint: 'choose another port with --control-port',
      path: 'control.port',
      cause: error,
    })
  })
  if (!isLoopback(address.address) && settings.tls === undefined) {
    await app.close()
    throw tlsRequired(address.address)
  }
  return {
    url: doorUrl(settings, address),
    close: async () => {
      closing.abort(new Error('the doors close'))
      await close(app)
    },
  }
}
