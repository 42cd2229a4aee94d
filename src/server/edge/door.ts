import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { chmodSync, rmSync } from 'node:fs'
import { errorCatalogue } from '../../contracts/errors.ts'
import type { EdgePolicies, EdgePolicy, EdgeReports, EdgeState } from '../../contracts/edge-policy.ts'
import { houseProtocol, protocolHeader, refuseApart } from '../../contracts/socket-door.ts'
import { HoldfastError, plainError } from '../../kernel/std/index.ts'
import { parsePolicy } from './parse-policy.ts'

/** What can be asked of the edge over its socket. */
export interface DoorOperations {
  state(): EdgeState
  policies(): EdgePolicies
  /** Resolves when the policy is in effect and on disk. */
  apply(policy: EdgePolicy): Promise<EdgeState>
  reports(after: number, waitMs: number, signal: AbortSignal): Promise<EdgeReports>
}

/** The open door. */
export interface Door {
  close(): void
}

const mostBodyBytes = 32 * 2 ** 20
const mostConnections = 64
const mostWaitMs = 30_000
const requestTimeoutMs = 10_000
/** Node looks only every 30 s by default, and few connections are all there are. */
const slowHeads = { headersTimeout: 2000, connectionsCheckingInterval: 500 }

/**
 * Listens on a unix socket that only its owner and control may open: HTTP with JSON bodies. `PUT /policy`, `GET /policies`,
 * `GET /state`, `GET /reports?after=N&waitMs=N`. An error leaves as `{code, kind, message, hint}`. Errors: the system's, when the
 * socket cannot be opened.
 */
export function openDoor(path: string, operations: DoorOperations): Promise<Door> {
  rmSync(path, { force: true })
  const closing = new AbortController()
  const server = createServer({ requestTimeout: requestTimeoutMs, ...slowHeads }, (request, response) => {
    const signal = AbortSignal.any([hungUp(response), closing.signal])
    void answer(request, operations, signal).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  server.maxConnections = mostConnections
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => {
      // Control may be another user; the directory's group is control's then, and else ours.
      chmodSync(path, 0o660)
      resolve({ close: () => closeDoor(server, closing) })
    })
  })
}

function closeDoor(server: Server, closing: AbortController): void {
  closing.abort()
  server.close()
  server.closeAllConnections()
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function answer(
  request: IncomingMessage,
  operations: DoorOperations,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    return { status: 200, body: await act(request, operations, signal) }
  } catch (error) {
    const plain = plainError(error)
    const status = errorCatalogue.find(({ code }) => code === plain.code)?.status ?? 500
    return { status, body: plain }
  }
}

async function act(
  request: IncomingMessage,
  operations: DoorOperations,
  signal: AbortSignal,
): Promise<unknown> {
  const url = URL.parse(request.url ?? '/', 'http://edge')
  if (url === null) throw refused('the target of the request cannot be read')
  const key = `${request.method} ${url.pathname}`
  if (key === 'GET /state') return { ...operations.state(), protocol: houseProtocol }
  refuseApart('who asks the edge', request.headers[protocolHeader])
  if (key === 'GET /policies') return operations.policies()
  if (key === 'PUT /policy') return operations.apply(await readPolicy(request))
  if (key !== 'GET /reports') throw refused(`there is nothing at ${key}`)
  const number = (name: string): number => {
    const value = Number(url.searchParams.get(name) ?? 0)
    if (!Number.isInteger(value) || value < 0) throw refused(`${name} is to be a whole number from 0`)
    return value
  }
  return operations.reports(number('after'), Math.min(mostWaitMs, number('waitMs')), signal)
}

function hungUp(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}

async function readPolicy(request: IncomingMessage): Promise<EdgePolicy> {
  const parsed = await parsePolicy(await readBody(request))
  if ('policy' in parsed) return parsed.policy
  throw refused(`the policy does not fit: ${parsed.issue}`)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > mostBodyBytes) throw refused(`a body has at most ${mostBodyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const refused = (message: string): HoldfastError =>
  new HoldfastError({ code: 'edge.policy-refused', kind: 'bug', message })
