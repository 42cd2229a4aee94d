import { errorFromPlain, HoldfastError, systemClock, type PlainError } from '../../kernel/std/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'
import type { HandOver } from './hand-over.ts'
import { isRunning } from './lock.ts'
import { dataLayout } from './paths.ts'
import { readSupervisorFile } from './supervisor-file.ts'

/** Beyond the longest stop timeout that a replica may have. */
const LONGEST_STOP_MS = 660_000
/** The edge drains, and two supervisors may be tried. */
const LONGEST_HAND_OVER_MS = 90_000
const POLL_MS = 50
const TIMEOUT_MS = 10_000

const UNREACHABLE = {
  code: 'supervisor.unreachable',
  message: 'The supervisor does not answer on its socket.',
  hint: 'Look into logs/supervisor.log in its data directory.',
}

const unreachable = (): HoldfastError => new HoldfastError({ ...UNREACHABLE, kind: 'operational' })

/**
 * Stops the supervisor of a data directory with control and edge and, unless told otherwise, its replicas. Resolves
 * when it is gone. Errors: `supervisor.unreachable`.
 */
export async function stopSupervisor(dataDirectory: string, options = { replicas: true }): Promise<void> {
  await post(dataDirectory, '/stop', options)
  await until(LONGEST_STOP_MS, async () => (await isRunning(dataDirectory)) === null)
}

/**
 * Asks the supervisor of a data directory to hand over to another. Resolves to the pid of the one that runs then, which
 * is one of its own program when the other did not start. Errors: `supervisor.unreachable`.
 */
export async function askHandOver(dataDirectory: string, next: HandOver): Promise<number> {
  const before = await isRunning(dataDirectory)
  await post(dataDirectory, '/hand-over', next)
  let pid: number | null = null
  await until(LONGEST_HAND_OVER_MS, async () => {
    pid = (await isRunning(dataDirectory))?.pid ?? null
    return pid !== null && pid !== before?.pid
  })
  if (pid === null) throw unreachable()
  return pid
}

async function post(dataDirectory: string, path: string, body: unknown): Promise<void> {
  const socketPath = readSupervisorFile(dataLayout(dataDirectory))?.socket
  if (socketPath === undefined) throw unreachable()
  const answer = await requestOverSocket({
    socketPath,
    method: 'POST',
    path,
    body,
    timeoutMs: TIMEOUT_MS,
    mostBytes: 65_536,
    unreachable: UNREACHABLE,
  })
  if (answer.status >= 400) throw errorFromPlain(answer.body as PlainError)
}

async function until(timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  while (!(await holds())) {
    if (systemClock.monotonicMs() > deadlineMs) throw unreachable()
    await systemClock.sleep(POLL_MS)
  }
}
