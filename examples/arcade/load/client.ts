import { Agent, request as send, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Tally } from './tally.ts'

/** What came back; status 0: nothing did. */
export interface Reply {
  readonly status: number
  readonly text: string
}

/** Somebody with an address, a cookie and a tally. */
export interface Client {
  readonly signal: AbortSignal
  get(path: string): Promise<Reply>
  post(path: string, body: object): Promise<Reply>
  /** Listens to the chat until the end. */
  listen(): void
  /** Swims in the tank until the end. */
  swim(roll: () => number): void
  /** Waits, or returns at once when the time is up. */
  pause(durationMs: number): Promise<void>
}

/** How to make one. */
export interface ClientOptions {
  readonly url: URL
  readonly address: string | undefined
  readonly tally: Tally
  readonly signal: AbortSignal
}

const answerTimeoutMs = 15_000
const mostBytes = 5_000_000

/** A client that comes from `address`. */
export function createClient({ url, address, tally, signal }: ClientOptions): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const from = address === undefined ? {} : { localAddress: address, family: 4 }
  let cookie = ''
  signal.addEventListener('abort', () => agent.destroy())

  const ask = async (method: string, path: string, body = ''): Promise<Reply> => {
    const startedAt = performance.now()
    const headers = {
      ...(cookie === '' ? {} : { cookie }),
      ...(body === ''
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    }
    const reply = await new Promise<Reply>((resolve) => {
      const nothing = (): void => resolve({ status: 0, text: '' })
      const request = send(new URL(path, url), { method, headers, agent, timeout: answerTimeoutMs, ...from })
      request.on('timeout', () => request.destroy())
      request.on('error', nothing)
      request.on('response', (response) => {
        cookie = response.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie
        collect(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), nothing)
      })
      request.end(body)
    })
    // What the end of the run cut off is nobody's fault.
    if (!signal.aborted) tally.count(reply.status, performance.now() - startedAt)
    return reply
  }
  const pause = async (durationMs: number): Promise<void> => {
    await sleep(durationMs, undefined, { signal }).catch(() => undefined)
  }

  return {
    signal,
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, JSON.stringify(body)),
    pause,
    listen: () => void keepListening({ url, from, tally, signal, pause }),
    swim: (roll) => swim({ url, from: { ...from, headers: { cookie } }, tally, signal, pause }, roll),
  }
}

async function collect(response: IncomingMessage): Promise<string> {
  let [text, sizeBytes] = ['', 0]
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes <= mostBytes) text += chunk.toString('utf8')
  }
  return text
}

interface Live {
  readonly url: URL
  readonly from: { localAddress?: string; family?: number; headers?: Record<string, string> }
  readonly tally: Tally
  readonly signal: AbortSignal
  readonly pause: (durationMs: number) => Promise<void>
}

/** Like a browser's EventSource: comes back two seconds after it was cut off. */
async function keepListening(live: Live): Promise<void> {
  while (!live.signal.aborted) {
    await listenOnce(live)
    await live.pause(2000)
  }
}

async function listenOnce({ url, from, tally, signal }: Live): Promise<void> {
  const startedAt = performance.now()
  await new Promise<void>((resolve) => {
    const request = send(new URL('/chat/live', url), { signal, ...from })
    request.on('error', () => resolve())
    request.on('response', (response) => {
      tally.count(response.statusCode ?? 0, performance.now() - startedAt)
      response.on('data', (chunk: Buffer) => chunk.includes('data:') && tally.countEvent())
      response.on('error', () => resolve())
      response.on('close', () => resolve())
    })
    request.end()
  })
}

/** Moves about once a second. */
function swim({ url, from, tally, signal }: Live, roll: () => number): void {
  const socket = new WebSocket(new URL('/play', url.href.replace(/^http/, 'ws')), from)
  const timer = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ x: roll(), y: roll() }))
  }, 1000)
  signal.addEventListener('abort', () => socket.terminate())
  socket.on('message', () => tally.countEvent())
  socket.on('error', () => undefined)
  socket.on('close', () => clearInterval(timer))
}
