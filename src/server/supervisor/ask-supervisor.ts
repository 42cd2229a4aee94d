import { readFromHouse } from '../../contracts/socket-door.ts'
import { supervisorStatus, type SupervisorStatus } from '../../contracts/supervisor.ts'
import { errorFromPlain, HoldfastError, systemClock, type PlainError } from '../../kernel/std/index.ts'
import { requestOverSocket, type SocketRequest } from '../../providers/unix-http/index.ts'
import type { HandOver } from './hand-over.ts'
import { isRunning } from './lock.ts'
import { dataLayout } from './paths.ts'
import { readSupervisorFile } from './supervisor-file.ts'

/** Beyond the longest stop timeouts that a service, and then its database, may have. */
const LONGEST_STOP_MS = 1_260_000
/** The edge drains, and two supervisors may be tried. */
const LONGEST_HAND_OVER_MS = 90_000
const POLL_MS = 50
const TIMEOUT_MS = 10_000
const MOST_BYTES = 16 * 2 ** 20

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

/** What the supervisor of a data directory says about itself and what it runs; null when it does not answer. */
export async function askStatus(dataDirectory: string): Promise<SupervisorStatus | null> {
  const body = await ask(dataDirectory, { method: 'GET', path: '/status' }).catch(() => null)
  const read = readFromHouse(supervisorStatus, body)
  return read.success ? read.data : null
}

const post = (dataDirectory: string, path: string, body: unknown): Promise<unknown> =>
  ask(dataDirectory, { method: 'POST', path, body })

async function ask(
  dataDirectory: string,
  what: Pick<SocketRequest, 'method' | 'path' | 'body'>,
): Promise<unknown> {
  const socketPath = readSupervisorFile(dataLayout(dataDirectory))?.socket
  if (socketPath === undefined) throw unreachable()
  const answer = await requestOverSocket({
    ...what,
    socketPath,
    timeoutMs: TIMEOUT_MS,
    mostBytes: MOST_BYTES,
    unreachable: UNREACHABLE,
  })
  if (answer.status >= 400) throw errorFromPlain(answer.body as PlainError)
  return answer.body
}

async function until(timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  while (!(await holds())) {
    if (systemClock.monotonicMs() > deadlineMs) throw unreachable()
    await systemClock.sleep(POLL_MS)
  }
}
