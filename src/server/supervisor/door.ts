import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { chmodSync, chownSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  desiredReplicas,
  unpackContents,
  type SupervisorEvent,
  type SupervisorStatus,
} from '../../contracts/supervisor.ts'
import type { DesiredReplicas, Tampering } from '../../contracts/supervisor.ts'
import { houseProtocol, protocolHeader, readFromHouse, refuseApart } from '../../contracts/socket-door.ts'
import { errorCatalogue } from '../../contracts/errors.ts'
import { HoldfastError, plainError } from '../../kernel/std/index.ts'
import { parseJson, removeShortPlace } from '../files/index.ts'
import { parseHandOver, type HandOver } from './hand-over.ts'

/** What can be asked of the supervisor over its socket. */
export interface DoorOperations {
  status(): SupervisorStatus
  tampering(): Tampering
  put(desired: DesiredReplicas): void
  restart(id: string): void
  events(after: number, waitMs: number, signal: AbortSignal): Promise<readonly SupervisorEvent[]>
  /** Removes a place of the data directory with all that is in it, whoever owns it; one that is not there is none. */
  discard(place: string): Promise<void>
  /** Bytes of the files in a place of the data directory, whoever owns them; null: they are too many to count. */
  measure(place: string): Promise<number | null>
  /** Begins to stop; the process ends afterwards. */
  stop(replicas: boolean): void
  /** Begins to hand over to another supervisor; the process ends afterwards. Replicas are left alone. */
  handOver(next: HandOver): void
}

/** The open door. */
export interface Door {
  close(): void
}

const MOST_BODY_BYTES = 16 * 2 ** 20
const MOST_CONNECTIONS = 64
const MOST_WAIT_MS = 30_000
const REQUEST_TIMEOUT_MS = 10_000
/** Node looks only every 30 s by default, and few connections are all there are. */
const SLOW_HEADS = { headersTimeout: 2000, connectionsCheckingInterval: 500 }

/**
 * Listens on a unix socket that only the owner of its directory may open: HTTP with JSON bodies.
 * `GET /status`, `GET /tampering`, `PUT /replicas`, `POST /replicas/<service>/<slot>/restart`, `GET /events?after=N&waitMs=N`, `POST /stop`,
 * `POST /hand-over`, `POST /discard`, `POST /measure`.
 * An error leaves as `{code, kind, message, hint}`. Errors: the system's, when the socket cannot be opened.
 */
export function openDoor(path: string, operations: DoorOperations): Promise<Door> {
  rmSync(path, { force: true })
  const closing = new AbortController()
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, ...SLOW_HEADS }, (request, response) => {
    const signal = AbortSignal.any([hungUp(response), closing.signal])
    void serve(request, operations, signal).then((answer) => send(response, answer))
  })
  server.maxConnections = MOST_CONNECTIONS
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => {
      chmodSync(path, 0o600)
      ownAsDirectory(path)
      resolve({ close: () => closeDoor(server, closing, path) })
    })
  })
}

/** Control asks us, and need not be root. */
function ownAsDirectory(path: string): void {
  const { uid, gid } = statSync(dirname(path))
  if (process.getuid?.() === 0) chownSync(path, uid, gid)
}

function closeDoor(server: Server, closing: AbortController, path: string): void {
  closing.abort()
  server.close()
  server.closeAllConnections()
  rmSync(path, { force: true })
  removeShortPlace(path)
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

function send(response: ServerResponse, answer: Answer): void {
  const text = JSON.stringify(answer.body)
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

async function serve(
  request: IncomingMessage,
  operations: DoorOperations,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    return await route(request, operations, signal)
  } catch (error) {
    const plain = plainError(error)
    const status = errorCatalogue.find(({ code }) => code === plain.code)?.status ?? 500
    return { status, body: plain }
  }
}

/** An installation of any version may end what runs here, or take it over. */
const forEveryVersion: ReadonlySet<string> = new Set(['POST /stop', 'POST /hand-over'])

async function route(
  request: IncomingMessage,
  operations: DoorOperations,
  signal: AbortSignal,
): Promise<Answer> {
  const url = parseUrl(request.url ?? '/')
  const key = `${request.method} ${url.pathname}`
  if (key === 'GET /status') return { status: 200, body: { ...operations.status(), protocol: houseProtocol } }
  if (!forEveryVersion.has(key)) refuseApart('who asks the supervisor', request.headers[protocolHeader])
  if (key === 'GET /tampering') return { status: 200, body: operations.tampering() }
  if (key === 'GET /events') return { status: 200, body: await readEvents(url, operations, signal) }
  return change(key, request, operations)
}

async function change(key: string, request: IncomingMessage, operations: DoorOperations): Promise<Answer> {
  const onPlace = ofPlaces[key]
  if (onPlace !== undefined) return answerOnPlace(onPlace, request, operations)
  switch (key) {
    case 'PUT /replicas':
      operations.put(parseDesired(await readBody(request)))
      return { status: 200, body: operations.status() }
    case 'POST /stop':
      operations.stop(parseStop(await readBody(request)))
      return { status: 202, body: {} }
    case 'POST /hand-over':
      operations.handOver(parseNext(await readBody(request)))
      return { status: 202, body: {} }
  }
  const id = /^POST \/replicas\/([a-z][a-z0-9-]*\/\d+)\/restart$/.exec(key)?.[1]
  if (id === undefined) throw invalid(`There is nothing at ${key}.`)
  operations.restart(id)
  return { status: 200, body: {} }
}

/** What is asked of a place of the data directory. */
type OnPlace = (operations: DoorOperations, place: string) => Promise<object>

const ofPlaces: Readonly<Record<string, OnPlace>> = {
  'POST /discard': async (operations, place) => {
    await operations.discard(place)
    return {}
  },
  'POST /measure': async (operations, place) => ({ sizeBytes: await operations.measure(place) }),
}

async function answerOnPlace(
  onPlace: OnPlace,
  request: IncomingMessage,
  operations: DoorOperations,
): Promise<Answer> {
  const place = parsePlace(parseJson(await readBody(request)))
  return { status: 200, body: await onPlace(operations, place) }
}

async function readEvents(url: URL, operations: DoorOperations, signal: AbortSignal): Promise<unknown> {
  const number = (name: string): number => {
    const value = Number(url.searchParams.get(name) ?? 0)
    if (!Number.isInteger(value) || value < 0) throw invalid(`${name} is to be a whole number from 0.`)
    return value
  }
  const waitMs = Math.min(MOST_WAIT_MS, number('waitMs'))
  return { events: await operations.events(number('after'), waitMs, signal) }
}

function parseUrl(target: string): URL {
  const url = URL.parse(target, 'http://supervisor')
  if (url === null) throw invalid('The target of the request cannot be read.')
  return url
}

/** Nothing means everything, but garbage must not stop replicas. */
function parseStop(text: string): boolean {
  const body = parseJson(text === '' ? '{}' : text) as { replicas?: unknown } | null | undefined
  const { replicas = true } = body ?? { replicas: null }
  if (typeof replicas === 'boolean') return replicas
  throw invalid('A stop says {"replicas": true} or {"replicas": false}.')
}

function parseNext(text: string): HandOver {
  const next = parseHandOver(parseJson(text))
  if (next === undefined) throw invalid('That does not say to whom to hand over.')
  return next
}

/** Nothing else is anybody's to remove or to look into. */
function parsePlace(body: unknown): string {
  const { place } = (body ?? {}) as { place?: unknown }
  if (typeof place === 'string' && /^(volumes|databases)\/[a-z][a-z0-9-]*$/.test(place)) return place
  throw invalid('A place is "volumes/<name>" or "databases/<name>".')
}

function hungUp(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}

function parseDesired(text: string): DesiredReplicas {
  const parsed = readFromHouse(desiredReplicas, parseJson(text))
  if (parsed.success) return unpackContents(parsed.data)
  const [issue] = parsed.error.issues
  throw invalid(`The replicas do not fit: ${issue?.message ?? 'unknown'}`, issue?.path.join('.'))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > MOST_BODY_BYTES) throw invalid(`A body has at most ${MOST_BODY_BYTES} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const invalid = (message: string, path?: string): HoldfastError =>
  new HoldfastError({ code: 'supervisor.invalid-request', kind: 'user', message, path })
