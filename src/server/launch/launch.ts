import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, systemClock } from '../../kernel/std/index.ts'
import { findTroubles, keepAccepted, problemError, type LoadedEnvironment } from '../composition/index.ts'
import { endLeftovers, isRunning, stopSupervisor, supervisorScript } from '../supervisor/index.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { placesOf, supervisorPlan } from './plan.ts'
import { openSockets, type OpenSocket } from './sockets.ts'

/** What has been done so far, in words for people. */
export type LaunchStep = (done: string) => void

/** What to launch and where. */
export interface LaunchOptions {
  readonly loaded: LoadedEnvironment
  /** Absolute. */
  readonly dataDirectory: string
  readonly onStep: LaunchStep
}

/** A supervisor that runs in the background. */
export interface Launched {
  readonly pid: number
  /** Resolves when the supervisor has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
  /** Stops everything: edge, control, replicas, supervisor. */
  stop(): Promise<void>
}

const readyTimeoutMs = 10_000
const pollMs = 50

async function refuseSecond(dataDirectory: string): Promise<void> {
  const running = await isRunning(dataDirectory)
  if (running === null) return
  throw new HoldfastError({
    code: 'supervisor.already-running',
    kind: 'user',
    message: `Holdfast already runs on ${dataDirectory} (supervisor ${running.pid})`,
    hint: 'look at it with "holdfast status", stop it with "holdfast down", or choose another directory with --data',
  })
}

async function spawnSupervisor(
  { loaded, dataDirectory }: LaunchOptions,
  sockets: readonly OpenSocket[],
): Promise<ChildProcess> {
  await mkdir(join(dataDirectory, 'logs'), { recursive: true })
  const log = await open(join(dataDirectory, 'logs', 'supervisor.log'), 'a', 0o600)
  const plan = supervisorPlan(
    loaded.environment,
    dataDirectory,
    sockets.map((_, index) => 3 + index),
  )
  const child = spawn(process.execPath, [supervisorScript()], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, ...sockets.map(({ descriptor }) => descriptor)],
    env: { ...process.env, HOLDFAST_PLAN: JSON.stringify(plan) },
  })
  for (const socket of sockets) socket.close()
  await log.close()
  return child
}

async function lastWords(dataDirectory: string): Promise<string> {
  const text = await readFile(join(dataDirectory, 'logs', 'supervisor.log'), 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-5).join('\n')
}

async function waitReady(child: ChildProcess, dataDirectory: string): Promise<void> {
  const deadline = systemClock.monotonicMs() + readyTimeoutMs
  while ((await isRunning(dataDirectory))?.pid !== child.pid) {
    if (child.exitCode !== null || child.signalCode !== null || systemClock.monotonicMs() > deadline) {
      child.kill('SIGKILL')
      throw new HoldfastError({
        code: 'supervisor.unreachable',
        kind: 'operational',
        message: `the supervisor did not start: ${await lastWords(dataDirectory)}`,
        hint: `see ${join(dataDirectory, 'logs', 'supervisor.log')}`,
      })
    }
    await systemClock.sleep(pollMs)
  }
}

function follow(child: ChildProcess, dataDirectory: string): Launched {
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  return {
    pid: child.pid ?? 0,
    ended,
    stop: async () => {
      await stopSupervisor(dataDirectory)
      await ended
    },
  }
}

/**
 * Starts an environment: proves that it can run here, takes the ports, starts the supervisor. Nothing is left behind
 * when it fails. Errors: `configuration.invalid`, `data.unwritable`, `data.disk-full`, `data.not-ours`,
 * `supervisor.already-running`, `supervisor.port-in-use`, `supervisor.cannot-listen`, `supervisor.unreachable`.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { loaded, dataDirectory, onStep } = options
  const troubles = await findTroubles(loaded, process.env)
  if (troubles.length > 0) throw problemError(troubles)
  onStep(`environment "${loaded.environment.name}" is valid`)
  await prepareDataDirectory(dataDirectory)
  await refuseSecond(dataDirectory)
  const left = await endLeftovers(dataDirectory)
  for (const line of left) onStep(line)
  const places = placesOf(loaded.environment)
  const sockets = await openSockets(places)
  onStep(`ports ${places.map(({ port }) => port).join(', ')} are ours`)
  await keepAccepted(dataDirectory, loaded)
  const child = await spawnSupervisor(options, sockets)
  await waitReady(child, dataDirectory)
  onStep('the supervisor runs')
  return follow(child, dataDirectory)
}
