import { join } from 'node:path'
import type { Client } from '../../client/index.ts'
import type { EnvironmentStatus } from '../../contracts/index.ts'
import { HoldfastError, systemClock } from '../../kernel/std/index.ts'
import { startTimeoutsOf, type LoadedEnvironment } from '../composition/index.ts'
import { readFailedStart } from '../control/index.ts'
import { askStatus as askSupervisor } from '../supervisor/index.ts'
import { decideReadiness } from './readiness.ts'

/** An environment whose supervisor runs, on its way up. */
export interface Rising {
  readonly loaded: LoadedEnvironment
  /** Absolute. */
  readonly dataDirectory: string
  /** A client of its control; null: that is not there yet. */
  readonly connect: () => Promise<Client | null>
  /** Is told what is being waited for. */
  readonly doing: (says: string) => void
}

/** A control that answers, and what it says. */
export interface Answering {
  readonly client: Client
  readonly status: EnvironmentStatus
}

const pollMs = 100
/** The supervisor starts a dying control again; longer than this it is not about to come. */
const controlTimeoutMs = 20_000
const edgeTimeoutMs = 20_000

async function ask({ connect }: Rising): Promise<Answering | null> {
  const client = await connect()
  const status = client === null ? null : await client.call('environment.status', {}).catch(() => null)
  return client === null || status === null ? null : { client, status }
}

/** Started again that often while nobody asked for it, it will not come up. */
const hopelessRestarts = 5

async function keepsEnding(name: 'control' | 'edge', { dataDirectory }: Rising): Promise<boolean> {
  const status = await askSupervisor(dataDirectory)
  return status?.processes.some((each) => each.name === name && each.restarts >= hopelessRestarts) === true
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

/** Waits until control answers. Errors: `control.unreachable`, or why control cannot start. */
export async function waitControl(rising: Rising, signal: AbortSignal): Promise<Answering> {
  const { dataDirectory } = rising
  const deadline = systemClock.monotonicMs() + controlTimeoutMs
  const refuseFailed = watchStarts(dataDirectory)
  for (;;) {
    const answering = await ask(rising)
    if (answering !== null) return answering
    await refuseFailed()
    if (systemClock.monotonicMs() > deadline || (await keepsEnding('control', rising))) {
      throw new HoldfastError({
        code: 'control.unreachable',
        kind: 'operational',
        message: 'control did not start',
        hint: `see ${join(dataDirectory, 'logs', 'control.log')}`,
      })
    }
    await systemClock.sleep(pollMs, signal)
  }
}

/**
 * Waits until every service is healthy, each for as long as its `startTimeout` says.
 * Errors: those of `waitControl`, `environment.service-unhealthy` with the last lines of the service.
 */
export async function waitHealthy(rising: Rising, signal: AbortSignal): Promise<Answering> {
  const timeouts = startTimeoutsOf(rising.loaded)
  const startedAt = systemClock.monotonicMs()
  for (;;) {
    const answering = await waitControl(rising, signal)
    const readiness = decideReadiness(answering.status, timeouts, systemClock.monotonicMs() - startedAt)
    if (readiness.now === 'ready') return answering
    if (readiness.now === 'give-up') await giveUp(answering.client, readiness.service, readiness.because)
    if (readiness.now === 'wait') rising.doing(readiness.says)
    await systemClock.sleep(pollMs, signal)
  }
}

/** Waits until the edge serves: services can be well before it knows, for it looks for itself. Errors: `edge.unreachable`. */
export async function waitServed(client: Client, rising: Rising, signal: AbortSignal): Promise<void> {
  rising.doing('waiting for the edge')
  const deadline = systemClock.monotonicMs() + edgeTimeoutMs
  for (;;) {
    const traffic = await client.call('edge.traffic', {}).catch(() => null)
    if (traffic?.serves === true) return
    if (systemClock.monotonicMs() > deadline || (await keepsEnding('edge', rising))) {
      throw new HoldfastError({
        code: 'edge.unreachable',
        kind: 'operational',
        message: 'the edge did not get ready to serve',
        hint: `see ${join(rising.dataDirectory, 'logs', 'edge.log')}`,
      })
    }
    await systemClock.sleep(pollMs, signal)
  }
}
