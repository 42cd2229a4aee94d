import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { EdgeListener, EdgePolicy } from '../../../../contracts/edge-policy.ts'
import { systemCode } from '../../../../kernel/std/index.ts'
import { counted, type KeyPair, type Place } from '../shared/index.ts'
import { isLingering } from './answer.ts'
import { handle, type Door, type Incoming } from './handle.ts'
import { tunnel } from '../tunnels/index.ts'
import type { TrafficGround } from './visit.ts'

/** One listener of one thread. */
export interface Serving {
  /** The port that it listens on. */
  readonly port: number
  setKeyPair(pair: KeyPair): void
  /** Takes on what a new policy says about this listener, but for its address and whether it speaks TLS. */
  tune(policy: EdgePolicy, listener: EdgeListener): void
  /** Stops accepting; resolves when the last connection has ended. */
  drain(deadlineMs: number): Promise<void>
}

/** Where and how to serve. */
export interface ServeParts {
  readonly place: Place
  readonly listener: EdgeListener
  readonly keyPair: KeyPair | null
  readonly policy: EdgePolicy
  /** Several threads open the same address. */
  readonly isShared: boolean
}

const keepAliveTimeoutMs = 30_000
const handshakeTimeoutMs = 10_000
const checkMs = 1000
const drainPollMs = 100
/** Requests that a connection may send ahead while an earlier one is being answered. */
const mostAhead = 100

function tlsOptions({ certificate, key }: KeyPair) {
  return { cert: certificate, key, minVersion: 'TLSv1.2' as const, ALPNProtocols: ['http/1.1'] }
}

function httpOptions({ maxHeaderBytes, headerTimeoutMs }: EdgePolicy, door: Door) {
  const options: ServerOptions & { shouldUpgradeCallback: (request: IncomingMessage) => boolean } = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headerTimeoutMs,
    // Bodies are bounded by the idle timeout of their route instead: a large one may take its time.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: checkMs,
    insecureHTTPParser: false,
    requireHostHeader: false,
    shouldUpgradeCallback: (request) => {
      const isWanted = door.redirectToPort === null && isWebSocket(request)
      if (!isWanted) declined.add(request)
      return isWanted
    },
  }
  return options
}

/** Requests for another protocol which are served as the plain requests that they also are. */
const declined = new WeakSet<IncomingMessage>()

/** RFC 6455, 4.1: a GET, and no body, behind which nobody could tell where the other protocol begins. */
function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    (headers['content-length'] ?? '0') === '0'
  )
}

function createFor({ keyPair, policy }: ServeParts, door: Door): Server | TlsServer {
  const server =
    keyPair === null
      ? createServer(httpOptions(policy, door))
      : createTlsServer({
          ...httpOptions(policy, door),
          ...tlsOptions(keyPair),
          handshakeTimeout: handshakeTimeoutMs,
        })
  // Node drops what is beyond this without a word; the pipeline counts and refuses.
  server.maxHeadersCount = 0
  server.maxConnections = policy.maxConnections
  server.timeout = 0
  return server
}

/** Opens a listener. Rejects with the system's error when it cannot listen. */
export async function serve(ground: TrafficGround, parts: ServeParts): Promise<Serving> {
  const { listener, keyPair } = parts
  const door: Door = { isSecure: keyPair !== null, redirectToPort: listener.redirectToPort }
  const server = createFor(parts, door)
  attach(ground, server, door)
  await listen(server, parts)
  return {
    port: (server.address() as AddressInfo).port,
    setKeyPair: (pair) => {
      if ('setSecureContext' in server) server.setSecureContext(tlsOptions(pair))
    },
    tune: ({ maxConnections, headerTimeoutMs }, { redirectToPort }) => {
      server.maxConnections = maxConnections
      server.headersTimeout = headerTimeoutMs
      door.redirectToPort = redirectToPort
    },
    drain: (deadlineMs) => drain(ground, server, deadlineMs),
  }
}

function attach(ground: TrafficGround, server: Server | TlsServer, door: Door): void {
  const take = (incoming: Incoming): void => inTurn(incoming, () => handle(ground, door, incoming))
  server.on('request', (request, response) => take({ request, response, expectsContinue: false }))
  const expecting = (request: IncomingMessage, response: ServerResponse): void =>
    take({ request, response, expectsContinue: true })
  server.on('checkContinue', expecting)
  server.on('checkExpectation', expecting)
  server.on('upgrade', (request, stream, rest) => {
    const socket = stream as Socket
    // Sent ahead of an answer that it cannot wait for, since Node lets go of the connection here.
    if (answerOn(socket) !== null) return void socket.destroy()
    tunnel(ground, { request, socket, rest, isSecure: door.isSecure })
  })
  server.on('connect', (_request, stream) => {
    const socket = stream as Socket
    if (answerOn(socket) === null) socket.end(rawAnswer(405))
    else socket.destroy()
  })
  server.on('clientError', (error, socket) => refuseMalformed(ground, error, socket as Socket))
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  server.on('connection', (socket: Socket) => {
    ground.board.addConnection(1)
    socket.once('close', () => ground.board.addConnection(-1))
  })
}

const ahead = new WeakMap<Socket, number>()

/**
 * Serves what a connection sends in a row one after the other (RFC 9112, 9.3.2): Node hands all of it over at once, and
 * a GET must not overtake the POST before it.
 */
function inTurn({ request, response }: Incoming, begin: () => void): void {
  // Node does not read what comes behind it in one piece with it: this connection is out of step.
  if (declined.has(request)) response.shouldKeepAlive = false
  if (response.socket !== null) return begin()
  const { socket } = request
  const waiting = (ahead.get(socket) ?? 0) + 1
  if (waiting > mostAhead) return void socket.destroy()
  ahead.set(socket, waiting)
  response.once('socket', () => {
    ahead.set(socket, (ahead.get(socket) ?? 1) - 1)
    begin()
  })
}

/** The answer that a connection is busy with. */
function answerOn(socket: Socket): ServerResponse | null {
  return (socket as unknown as { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? null
}

const spoilt = new WeakSet<Socket>()

/**
 * What Node's parser refuses gets a plain answer and a closed connection. If a sound request before it is still to be
 * answered, that answer comes, and the connection ends with it: a 400 in its place would be taken for its own.
 */
function refuseMalformed(ground: TrafficGround, error: Error, socket: Socket): void {
  const code = systemCode(error) ?? ''
  const inFlight = answerOn(socket)
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  if (inFlight?.headersSent === true) return endAnswered(socket, inFlight)
  if (spoilt.has(socket)) return
  spoilt.add(socket)
  countMalformed(ground)
  if (inFlight?.req.complete === true) inFlight.shouldKeepAlive = false
  else socket.end(rawAnswer(malformedStatuses[code] ?? 400), () => socket.destroy())
}

function countMalformed({ current }: TrafficGround): void {
  current?.counters.add(current.malformedSlot, counted.requests, 1)
  current?.counters.add(current.malformedSlot, counted.classes + 3, 1)
}

const malformedStatuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** What has been answered in full is still to be read; half an answer must not look whole. */
function endAnswered(socket: Socket, response: ServerResponse): void {
  if (response.writableEnded || isLingering(response)) socket.destroySoon()
  else socket.destroy()
}

function rawAnswer(status: number): string {
  const body = `${status} ${STATUS_CODES[status]}\n`
  const fields = [
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.join('\r\n')}\r\n\r\n${body}`
}

function listen(server: Server | TlsServer, { place, isShared }: ServeParts): Promise<void> {
  const where =
    place.descriptor === null
      ? { host: place.host, port: place.port, backlog: 4096, reusePort: isShared }
      : { fd: place.descriptor }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      server.on('error', () => undefined)
      resolve()
    })
  })
}

/** Ends idle connections as they become idle, the others at the deadline. */
async function drain(ground: TrafficGround, server: Server | TlsServer, deadlineMs: number): Promise<void> {
  const over = new AbortController()
  server.close(() => over.abort())
  const untilMs = ground.clock.monotonicMs() + deadlineMs
  while (!over.signal.aborted && ground.clock.monotonicMs() < untilMs) {
    server.closeIdleConnections()
    await ground.clock.sleep(drainPollMs, over.signal).catch(() => undefined)
  }
  server.closeAllConnections()
}
