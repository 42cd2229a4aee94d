import { existsSync } from 'node:fs'
import { HoldfastError, systemClock } from '../../kernel/std/index.ts'
import { loadAccepted } from '../composition/index.ts'
import {
  askHandOver,
  dataLayout,
  isHandingOver,
  isRunning,
  readSupervisorFile,
  stopSupervisor,
  supervisorScript,
  type HandOver,
} from '../supervisor/index.ts'
import { placesOf, supervisorPlan } from './plan.ts'

/** How a supervisor ended: with an exit code, by a signal, or (both null) nobody knows how. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

/** A supervisor that runs in the background, or the one that took over from it. */
export interface Launched {
  readonly pid: number
  /** Resolves when no supervisor runs any more. */
  readonly ended: Promise<Ended>
  /** Stops everything: edge, control, replicas, supervisor. */
  stop(): Promise<void>
}

const pollMs = 200
/** Two supervisors may be tried, and the edge drains before. */
const handOverTimeoutMs = 90_000

/** Whether a supervisor lives, or another is about to. */
async function goesOn(dataDirectory: string): Promise<boolean> {
  return (await isRunning(dataDirectory)) !== null || isHandingOver(dataDirectory)
}

/** Waits until no supervisor runs on a data directory, whichever that is: one that is upgraded is followed by the next. */
export async function untilNobodyRuns(dataDirectory: string): Promise<Ended> {
  let handingOverMs = 0
  while (await goesOn(dataDirectory)) {
    handingOverMs = isHandingOver(dataDirectory) ? handingOverMs + pollMs : 0
    if (handingOverMs > handOverTimeoutMs) return { code: null, signal: null }
    await systemClock.sleep(pollMs)
  }
  // One that ends in order removes its socket first.
  const socket = readSupervisorFile(dataLayout(dataDirectory))?.socket
  const killed = socket !== undefined && existsSync(socket)
  return { code: killed ? null : 0, signal: null }
}

/** Stays with the supervisor that runs on a data directory; null when there is none. */
export async function attach(dataDirectory: string): Promise<Launched | null> {
  const running = await isRunning(dataDirectory)
  if (running === null) return null
  const ended = untilNobodyRuns(dataDirectory)
  return {
    pid: running.pid ?? 0,
    ended,
    stop: async () => {
      await stopSupervisor(dataDirectory)
      await ended
    },
  }
}

/** How an environment changes hands. */
export interface TakeOver extends Pick<HandOver, 'stores'> {
  /** Absolute. */
  readonly dataDirectory: string
  /** For the timeline: `upgraded from 0.1.0`. */
  readonly because: string
}

/**
 * Makes this installation run an environment that another one runs: control and edge are ended in order and started from
 * here, on the same listening sockets, and replicas run on. Resolves when our supervisor runs.
 * Errors: `supervisor.unreachable`, `upgrade.not-started` (the other one goes on), those of `loadAccepted`.
 */
export async function takeOver({ dataDirectory, because, stores }: TakeOver): Promise<void> {
  const loaded = await loadAccepted(dataDirectory)
  const descriptors = placesOf(loaded.environment).map((_, index) => 3 + index)
  const plan = { ...supervisorPlan(loaded, dataDirectory, descriptors), because }
  const next = { node: process.execPath, script: supervisorScript(), plan, stores }
  await askHandOver(dataDirectory, next)
  if (readSupervisorFile(dataLayout(dataDirectory))?.version === plan.version) return
  throw new HoldfastError({
    code: 'upgrade.not-started',
    kind: 'operational',
    message: `the supervisor of version ${plan.version} did not start; the one before goes on`,
    hint: 'see logs/supervisor.log in the data directory',
  })
}
