import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { EdgePolicy } from '../../../contracts/edge-policy.ts'
import { systemClock, systemRandom } from '../../../kernel/std/index.ts'
import { edge } from '../index.ts'
import type { EdgeConfig } from '../config.ts'
import type { IdentityStore, UpstreamTargetState } from '../ports.ts'
import { startDataPlane, type RunningDataPlane } from './index.ts'

/** What an origin does with a request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void

/** An origin of tests; counts what it sees. */
export interface TestOrigin {
  readonly url: string
  readonly server: Server
  readonly seen: IncomingMessage[]
  close(): Promise<void>
}

/** Starts an HTTP server on a free port of loopback. */
export async function startOrigin(behaviour: Behaviour): Promise<TestOrigin> {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    behaviour(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Answers with what it saw, as JSON. */
export const echo: Behaviour = (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { method, url, rawHeaders } = request
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString('latin1') }))
  })
}

/** A data plane of tests. */
export interface Testbed {
  readonly plane: RunningDataPlane
  readonly port: number
  readonly url: string
  readonly policy: EdgePolicy
  /** Puts another section or other targets into effect. */
  apply(parts: Partial<TestbedParts>): Promise<EdgePolicy>
  stop(): Promise<void>
}

/** What a testbed is made of. */
export interface TestbedParts {
  readonly section: Parameters<typeof edge.config.parse>[0]
  /** Origins by service; alone, an address is the first, second ... replica. */
  readonly origins: Readonly<Record<string, readonly (string | UpstreamTargetState)[]>>
  readonly threads?: number
  readonly healthy?: (origin: string) => boolean
  readonly identityStore?: Partial<IdentityStore>
}

/** Files as they are, nothing else. */
export const emptyStore: IdentityStore = {
  passportKey: systemRandom.bytes(32),
  variable: () => undefined,
  read: (file) => readFile(file, 'utf8'),
  fetch: () => Promise.reject(new Error('there is no network here')),
  remembered: () => null,
  remember: () => undefined,
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts a data plane on a free port. */
export async function startTestbed(first: TestbedParts): Promise<Testbed> {
  const port = await freePort()
  let parts = first
  const compile = (): EdgePolicy => {
    const written = parts.section as { listen?: unknown[] }
    const [listener, ...others] = (written.listen ?? [{}]) as object[]
    const section: EdgeConfig = edge.config.parse({ ...written, listen: [{ port, ...listener }, ...others] })
    const upstreams = Object.entries(parts.origins).map(([name, origins]) => ({
      name,
      targets: origins.map((origin, index) =>
        typeof origin === 'string' ? { id: `${name}/${index + 1}`, origin } : origin,
      ),
      healthPath: null,
    }))
    const policy = edge.compile(section, { environment: 'test', upstreams })
    return { ...policy, upstreams: policy.upstreams.map((each) => ({ ...each, healthIntervalMs: 200 })) }
  }
  const plane = startDataPlane({
    clock: systemClock,
    random: systemRandom,
    pid: process.pid,
    probe: { probe: async (origin) => ({ healthy: parts.healthy?.(origin) ?? true }) },
    identityStore: { ...emptyStore, ...first.identityStore },
    threads: first.threads ?? 1,
    counterStore: new URL('../../../providers/redis/index.ts', import.meta.url).href,
    listeners: [],
    onExhausted: (why) => {
      throw new Error(why)
    },
  })
  const policy = compile()
  await plane.apply(policy)
  return {
    plane,
    port,
    url: `http://127.0.0.1:${port}`,
    policy,
    apply: async (changed) => {
      parts = { ...parts, ...changed }
      const next = compile()
      await plane.apply(next)
      return next
    },
    stop: () => plane.drain(0),
  }
}

/** What came back on a raw connection. */
export interface RawAnswer {
  readonly text: string
  readonly isClosed: boolean
}

/** Opens a raw connection. */
export async function openRaw(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return socket
}

/** Sends bytes as they are and collects what comes until the connection ends or nothing has come for `idleMs`. */
export async function sendRaw(port: number, text: string, idleMs = 400): Promise<RawAnswer> {
  const socket = await openRaw(port)
  const answer = collect(socket, idleMs)
  socket.write(text, 'latin1')
  const result = await answer
  socket.destroy()
  return result
}

/** Collects what comes on a connection until it ends or nothing has come for `idleMs`. */
export function collect(socket: Socket, idleMs: number): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = ''
    let timer = setTimeout(() => resolve({ text, isClosed: false }), idleMs + 1500)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      clearTimeout(timer)
      timer = setTimeout(() => resolve({ text, isClosed: false }), idleMs)
    })
    const closed = (): void => {
      clearTimeout(timer)
      resolve({ text, isClosed: true })
    }
    socket.once('end', closed)
    socket.once('close', closed)
  })
}

/** Waits until something holds; fails after `mostMs`. */
export async function until(holds: () => boolean, mostMs = 5000): Promise<void> {
  const deadline = systemClock.monotonicMs() + mostMs
  while (!holds()) {
    if (systemClock.monotonicMs() > deadline) throw new Error('waited too long')
    await systemClock.sleep(20)
  }
}

/** What several tests of a file share: one data plane, and origins that last for a test. */
export interface Stage {
  open(): Promise<void>
  /** Ends what the test has opened. */
  clear(): Promise<void>
  close(): Promise<void>
  /** Done at the end of the test. */
  later(close: () => Promise<void> | void): void
  readonly origin: (behaviour: Behaviour) => Promise<TestOrigin>
  /** A data plane with these parts: the shared one, unless it has to have several threads. */
  readonly testbed: (parts: TestbedParts) => Promise<Testbed>
}

/** Creates a stage. */
export function createStage(): Stage {
  const closing: (() => Promise<void> | void)[] = []
  let shared: Testbed | null = null
  const later = (close: () => Promise<void> | void): void => void closing.push(close)
  return {
    later,
    open: async () => {
      shared = await startTestbed({ section: {}, origins: {} })
    },
    clear: async () => {
      for (const close of closing.splice(0).toReversed()) await close()
    },
    close: async () => shared?.stop(),
    origin: async (behaviour) => {
      const started = await startOrigin(behaviour)
      later(() => started.close())
      return started
    },
    testbed: async (parts) => {
      if (parts.threads === undefined && shared !== null) {
        await shared.apply({ healthy: () => true, ...parts })
        return shared
      }
      const bed = await startTestbed(parts)
      later(() => bed.stop())
      return bed
    },
  }
}
