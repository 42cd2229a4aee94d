import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, systemClock } from '../../kernel/std/index.ts'
import { askForTakeOver } from '../engine/index.ts'
import {
  findOthers,
  findTroubles,
  keepAccepted,
  problemError,
  type LoadedEnvironment,
} from '../composition/index.ts'
import { forgetFailedStart } from '../control/index.ts'
import {
  endLeftovers,
  HANDED_OVER,
  isRunning,
  lockStart,
  stopSupervisor,
  supervisorScript,
} from '../supervisor/index.ts'
import { explainDisk, prepareDataDirectory } from './data-directory.ts'
import { placesOf, supervisorPlan } from './plan.ts'
import { untilNobodyRuns, type Ended, type Launched } from './running.ts'
import { openSockets, type OpenSocket } from './sockets.ts'

/** What has been done so far, in words for people. */
export type LaunchStep = (done: string) => void

/** What to launch and where. */
export interface LaunchOptions {
  readonly loaded: LoadedEnvironment
  /** Absolute. */
  readonly dataDirectory: string
  readonly onStep: LaunchStep
  /** Takes over what another Holdfast looks after, instead of refusing. */
  readonly takesOver?: boolean
}

const readyTimeoutMs = 30_000
/** Longer than it takes to stop what it may have started by then. */
const endTimeoutMs = 15_000
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
    loaded,
    dataDirectory,
    sockets.map((_, index) => 3 + index),
  )
  const child = spawn(process.execPath, [supervisorScript()], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, ...sockets.map(({ descriptor }) => descriptor)],
    env: { ...process.env, HOLDFAST_PLAN: JSON.stringify(plan) },
  })
  // Said by `waitReady`.
  child.on('error', () => undefined)
  for (const socket of sockets) socket.close()
  await log.close()
  return child
}

async function lastWords(dataDirectory: string): Promise<string> {
  const text = await readFile(join(dataDirectory, 'logs', 'supervisor.log'), 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-5).join('\n')
}

/** One that could not even be spawned has no pid. */
const hasEnded = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null

/** Asked to end, a supervisor takes what it has started with it; killed, it would leave it. */
async function endSupervisor(child: ChildProcess, dataDirectory: string): Promise<void> {
  child.kill('SIGTERM')
  const deadline = systemClock.monotonicMs() + endTimeoutMs
  while (!hasEnded(child) && systemClock.monotonicMs() < deadline) await systemClock.sleep(pollMs)
  child.kill('SIGKILL')
  await endLeftovers(dataDirectory)
}

async function waitReady(child: ChildProcess, dataDirectory: string): Promise<void> {
  const deadline = systemClock.monotonicMs() + readyTimeoutMs
  while (child.pid === undefined || (await isRunning(dataDirectory))?.pid !== child.pid) {
    if (hasEnded(child) || systemClock.monotonicMs() > deadline) {
      await endSupervisor(child, dataDirectory)
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
  const exited = new Promise<Ended>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  const ended = exited.then((end) => (end.code === HANDED_OVER ? untilNobodyRuns(dataDirectory) : end))
  return {
    pid: child.pid ?? 0,
    ended,
    stop: async () => {
      await stopSupervisor(dataDirectory).catch((error: unknown) => {
        if (!hasEnded(child) || child.exitCode === HANDED_OVER) throw error
      })
      await ended
    },
  }
}

async function takeOver(options: LaunchOptions): Promise<Launched> {
  const { loaded, dataDirectory, onStep } = options
  await refuseSecond(dataDirectory)
  const left = await endLeftovers(dataDirectory)
  for (const line of left) onStep(line)
  const places = placesOf(loaded.environment)
  const sockets = await openSockets(places)
  onStep(`ports ${places.map(({ port }) => port).join(', ')} are ours`)
  try {
    await keepAccepted(dataDirectory, loaded)
    if (options.takesOver === true) await askForTakeOver(dataDirectory)
    await forgetFailedStart(dataDirectory)
    const child = await spawnSupervisor(options, sockets)
    await waitReady(child, dataDirectory)
    onStep('the supervisor runs')
    return follow(child, dataDirectory)
  } finally {
    for (const socket of sockets) socket.close()
  }
}

/**
 * Starts an environment: proves that it can run here, takes the ports, starts the supervisor. Nothing is left behind
 * when it fails. Of two launches at the same instant one is refused before it touches anything.
 * Errors: `configuration.invalid`, `data.unwritable`, `data.disk-full`, `data.not-ours`,
 * `supervisor.already-running`, `supervisor.port-in-use`, `supervisor.cannot-listen`, `supervisor.unreachable`.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { loaded, dataDirectory, onStep, takesOver = false } = options
  const found = await findTroubles(loaded, process.env, dataDirectory)
  const troubles = [...found, ...(takesOver ? [] : await findOthers(loaded, dataDirectory))]
  if (troubles.length > 0) throw problemError(troubles)
  onStep(`environment "${loaded.environment.name}" is valid`)
  await prepareDataDirectory(dataDirectory)
  const lock = lockStart(dataDirectory)
  try {
    return await takeOver(options)
  } catch (error) {
    throw explainDisk(dataDirectory, error)
  } finally {
    lock.release()
  }
}
