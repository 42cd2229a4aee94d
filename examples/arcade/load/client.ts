import { Agent, request as send, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { enterPool, type Fish } from './pool.ts'
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
  /** Enters the pool, as whoever is signed in. */
  enterPool(): Fish
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
  let mails = { sent: 0, heldBack: 0 }
  let isFirstLook = true
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
    if (!signal.aborted) tally.count(doorOf(method, path), reply.status, performance.now() - startedAt)
    if (path === '/me' && reply.status === 200 && reply.text.startsWith('{')) noteMails(reply.text)
    return reply
  }
  /** What became of the mails that one's mentions caused since the first look. */
  const noteMails = (text: string): void => {
    const { mails: now = mails } = JSON.parse(text) as { mails?: typeof mails }
    if (!isFirstLook) tally.countMails(now.sent - mails.sent, now.heldBack - mails.heldBack)
    isFirstLook = false
    mails = now
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
    enterPool: () => enterPool({ url, from: { ...from, headers: { cookie } }, tally, signal }),
  }
}

/** What a request asks for, in a word. */
function doorOf(method: string, path: string): string {
  const [, first = ''] = path.split(/[/?]/)
  const doors: Record<string, string> = { chat: 'chat', exports: 'export', scores: 'score', login: 'login' }
  return method === 'POST' ? (doors[first] ?? 'other') : first === 'assets' ? 'assets' : 'pages'
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
      tally.count('live chat', response.statusCode ?? 0, performance.now() - startedAt)
      response.on('data', (chunk: Buffer) => chunk.includes('data:') && tally.countEvent())
      response.on('error', () => resolve())
      response.on('close', () => resolve())
    })
    request.end()
  })
}
