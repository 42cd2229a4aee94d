import { join } from 'node:path'
import { createClient, type Client } from '../../client/index.ts'
import type { EnvironmentStatus } from '../../contracts/index.ts'
import { HoldfastError, systemClock } from '../../kernel/std/index.ts'
import { startTimeoutsOf, type LoadedEnvironment } from '../../server/composition/index.ts'
import { readFailedStart } from '../../server/control/index.ts'
import { askStatus as askSupervisor } from '../../server/supervisor/index.ts'
import { locateControl } from '../control/index.ts'
import { decideReadiness } from './readiness.ts'
import type { Terminal } from './terminal.ts'

/** An environment that is to get ready, and where that is said. */
export interface Ready {
  readonly loaded: LoadedEnvironment
  /** Absolute. */
  readonly dataDirectory: string
  readonly terminal: Terminal
}

const pollMs = 100
/** The supervisor starts a dying control again; longer than this it is not about to come. */
const controlTimeoutMs = 20_000
const edgeTimeoutMs = 20_000

async function connect(dataDirectory: string): Promise<Client | null> {
  const directions = { directory: dataDirectory, data: dataDirectory }
  const address = await locateControl(directions).catch(() => null) // not there yet
  return address === null ? null : createClient(address)
}

async function askStatus(client: Client | null): Promise<EnvironmentStatus | null> {
  return client === null ? null : client.call('environment.status', {}).catch(() => null)
}

/** Started again that often while nobody asked for it, it will not come up. */
const hopelessRestarts = 5

async function keepsEnding(
  name: 'control' | 'edge',
  { dataDirectory }: Pick<Ready, 'dataDirectory'>,
): Promise<boolean> {
  const status = await askSupervisor(dataDirectory)
  return status?.processes.some((each) => each.name === name && each.restarts >= hopelessRestarts) === true
}

/** Waits until the edge serves: services can be well before it knows, for it looks for itself. Errors: `edge.unreachable`. */
export async function waitServed(client: Client, ready: Ready, signal: AbortSignal): Promise<void> {
  ready.terminal.doing('waiting for the edge')
  const deadline = systemClock.monotonicMs() + edgeTimeoutMs
  for (;;) {
    const traffic = await client.call('edge.traffic', {}).catch(() => null)
    if (traffic?.serves === true) return
    if (systemClock.monotonicMs() > deadline || (await keepsEnding('edge', ready))) {
      throw new HoldfastError({
        code: 'edge.unreachable',
        kind: 'operational',
        message: 'the edge did not get ready to serve',
        hint: `see ${join(ready.dataDirectory, 'logs', 'edge.log')}`,
      })
    }
    await systemClock.sleep(pollMs, signal)
  }
}

async function lastLines(client: Client, service: string): Promise<string> {
  const lines: string[] = []
  try {
    for await (const { replica, line } of client.stream('environment.logs', { service, lines: 10 })) {
      lines.push(`    ${replica} | ${line}`)
    }
  } catch {
    return ''
  }
  return lines.length === 0 ? '\n    (it wrote nothing)' : `\n${lines.slice(-10).join('\n')}`
}

async function giveUp(client: Client, service: string, because: string): Promise<never> {
  throw new HoldfastError({
    code: 'environment.service-unhealthy',
    kind: 'user',
    message: `services.${service}: ${because}${await lastLines(client, service)}`,
    path: `services.${service}`,
    hint: 'everything was stopped again; mend the service, or give it more time with "startTimeout"',
  })
}

/**
 * Control is started again when it fails, and may well succeed the second time (while an earlier one lets go of the
 * timeline, say). Throws the reason when two in a row have failed.
 */
function watchStarts(dataDirectory: string): () => Promise<void> {
  const failed = new Set<number>()
  return async () => {
    const failure = await readFailedStart(dataDirectory)
    if (failure !== null && failed.add(failure.pid).size >= 2) throw failure.error
  }
}

/**
 * Waits until control answers and every service is healthy. Errors: `control.unreachable`,
 * `environment.service-unhealthy`, and why control did not start.
 */
export async function waitHealthy(
  { loaded, dataDirectory, terminal }: Ready,
  signal: AbortSignal,
): Promise<{ readonly client: Client; readonly status: EnvironmentStatus }> {
  const timeouts = startTimeoutsOf(loaded)
  const startedAt = systemClock.monotonicMs()
  const refuseFailed = watchStarts(dataDirectory)
  for (;;) {
    const waitedMs = systemClock.monotonicMs() - startedAt
    const client = await connect(dataDirectory)
    const status = await askStatus(client)
    if (client !== null && status !== null) {
      const readiness = decideReadiness(status, timeouts, waitedMs)
      if (readiness.now === 'ready') return { client, status }
      if (readiness.now === 'give-up') await giveUp(client, readiness.service, readiness.because)
      if (readiness.now === 'wait') terminal.doing(readiness.says)
    } else if (waitedMs > controlTimeoutMs || (await keepsEnding('control', { dataDirectory }))) {
      throw new HoldfastError({
        code: 'control.unreachable',
        kind: 'operational',
        message: 'control did not start',
        hint: `see ${join(dataDirectory, 'logs', 'control.log')}`,
      })
    }
    if (status === null) await refuseFailed()
    await systemClock.sleep(pollMs, signal)
  }
}
