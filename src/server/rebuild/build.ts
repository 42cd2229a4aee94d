import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { createClient, type Client } from '../../client/index.ts'
import type { EnvironmentStatus, RebuildPhase } from '../../contracts/environment.ts'
import { HoldfastError, plainError, systemClock } from '../../kernel/std/index.ts'
import { waitControl, waitHealthy, waitServed, type Rising } from '../bring-up/index.ts'
import type { LoadedEnvironment } from '../composition/index.ts'
import { launch, type Launched } from '../launch/index.ts'
import type { BuildMessage } from './config.ts'
import { requestsThrough, type RouteRequest } from './routes.ts'

/** What a builder works with. */
export interface BuildGround {
  readonly loaded: LoadedEnvironment
  /** Absolute. */
  readonly dataDirectory: string
  readonly say: (message: BuildMessage) => void
  readonly signal: AbortSignal
}

type Name = RebuildPhase['name']

const pollMs = 50
const answerTimeoutMs = 5000
/** The edge may still be about to learn where a service is. */
const routePatienceMs = 10_000

async function connect({ loaded, dataDirectory }: BuildGround): Promise<Client | null> {
  const { host, port } = loaded.environment.control
  const token = await readFile(join(dataDirectory, 'root.token'), 'utf8').catch(() => null) // not there yet
  return token === null ? null : createClient({ url: `http://${host}:${port}`, token: token.trim() })
}

/** Times a part of the work, and says which part it was that failed. */
async function phase<T>(ground: BuildGround, name: Name, act: () => Promise<T>): Promise<T> {
  const startedAt = systemClock.monotonicMs()
  try {
    const result = await act()
    const seconds = Math.round(systemClock.monotonicMs() - startedAt) / 1000
    ground.say({ phase: { name, seconds } })
    return result
  } catch (error) {
    if (!ground.signal.aborted)
      ground.say({ failed: { phase: name, because: plainError(error).message.slice(0, 4000) } })
    throw error
  }
}

/** Jobs that have to have run before a release serves: on an empty database they have not. */
async function runJobs(ground: BuildGround, client: Client): Promise<void> {
  const { services } = ground.loaded.environment
  const names = new Set(Object.values(services).flatMap(({ deploy }) => deploy.before))
  if (names.size === 0) return
  await phase(ground, 'jobs', async () => {
    for (const job of names) {
      ground.say({ doing: `running ${job}` })
      await client.job('environment.run', { job }, { signal: ground.signal })
    }
  })
}

/** A worker counts as healthy while it runs: one that is about to crash, too. Longer than this it has come up. */
const settledMs = 1500

function isSettled({ services }: EnvironmentStatus): boolean {
  const before = systemClock.now() - settledMs
  const workers = services.flatMap(({ replicas }) => replicas.filter(({ address }) => address === null))
  return workers.every(({ startedAt }) => startedAt !== null && startedAt <= before)
}

/** Waits until every service is well and has stayed so; one that keeps crashing is left down, which ends the wait. */
async function waitSettled(rising: Rising, signal: AbortSignal): Promise<void> {
  while (!isSettled((await waitHealthy(rising, signal)).status)) await systemClock.sleep(pollMs, signal)
}

/** Status of the answer; null: there was none. */
function askOnce(port: number, { host, path }: RouteRequest): Promise<number | null> {
  return new Promise((resolve) => {
    const headers = host === null ? {} : { host }
    const options = { host: '127.0.0.1', port, path, headers, timeout: answerTimeoutMs }
    const asked = httpRequest(options, (response) => {
      response.resume()
      resolve(response.statusCode ?? null)
    })
    asked.once('timeout', () => asked.destroy())
    asked.once('error', () => resolve(null))
    asked.end()
  })
}

/** What the edge says when nobody behind it answers (RFC 9110, 15.6). */
const withoutService = [502, 503, 504]

async function askThrough({ loaded, signal }: BuildGround, request: RouteRequest): Promise<void> {
  const port = loaded.environment.edge.listen[0]?.port ?? 0
  const deadline = systemClock.monotonicMs() + routePatienceMs
  for (;;) {
    const status = await askOnce(port, request)
    if (status !== null && !withoutService.includes(status)) return
    if (systemClock.monotonicMs() > deadline) {
      throw new HoldfastError({
        code: 'edge.unreachable',
        kind: 'operational',
        message: `GET ${request.path} through the edge: ${request.service} does not answer (${status ?? 'no connection'})`,
      })
    }
    await systemClock.sleep(pollMs, signal)
  }
}

async function rise(ground: BuildGround, launched: () => Promise<unknown>): Promise<void> {
  const { loaded, dataDirectory, signal, say } = ground
  const doing = (says: string): void => say({ doing: says })
  const rising: Rising = { loaded, dataDirectory, connect: () => connect(ground), doing }
  const { client } = await phase(ground, 'start', async () => {
    doing('starting supervisor, control and edge')
    await launched()
    return waitControl(rising, signal)
  })
  await runJobs(ground, client)
  await phase(ground, 'services', () => waitSettled(rising, signal))
  await phase(ground, 'edge', async () => {
    await waitServed(client, rising, signal)
    for (const request of requestsThrough(loaded.environment)) await askThrough(ground, request)
  })
  const port = loaded.environment.edge.listen[0]?.port ?? 0
  say({ serves: `http://127.0.0.1:${port}` })
}

/**
 * Builds an environment, from its supervisor to answers through its edge, holds it while `hold` lasts, and stops all of
 * it again, whatever has happened. What failed was said. Throws what failed.
 */
export async function build(ground: BuildGround, hold: () => Promise<void>): Promise<void> {
  const { loaded, dataDirectory } = ground
  const shelf: { launched?: Launched } = {}
  const onStep = (done: string): void => ground.say({ doing: done })
  try {
    await rise(ground, async () => {
      shelf.launched = await launch({ loaded, dataDirectory, onStep })
    })
    await hold()
  } finally {
    await shelf.launched?.stop()
  }
}
