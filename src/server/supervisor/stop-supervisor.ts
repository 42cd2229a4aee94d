import { errorFromPlain, HoldfastError, systemClock, type PlainError } from '../../kernel/std/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'
import { isRunning } from './lock.ts'
import { dataLayout } from './paths.ts'
import { readSupervisorFile } from './supervisor-file.ts'

/** Beyond the longest stop timeout that a replica may have. */
const LONGEST_STOP_MS = 660_000
const POLL_MS = 50
const TIMEOUT_MS = 10_000

const UNREACHABLE = {
  code: 'supervisor.unreachable',
  message: 'The supervisor does not answer on its socket.',
  hint: 'Look into logs/supervisor.log in its data directory.',
}

/**
 * Stops the supervisor of a data directory with control and edge and, unless told otherwise, its replicas. Resolves
 * when it is gone. Errors: `supervisor.unreachable`.
 */
export async function stopSupervisor(dataDirectory: string, options = { replicas: true }): Promise<void> {
  const socketPath = readSupervisorFile(dataLayout(dataDirectory))?.socket
  if (socketPath === undefined) throw new HoldfastError({ ...UNREACHABLE, kind: 'operational' })
  const answer = await requestOverSocket({
    socketPath,
    method: 'POST',
    path: '/stop',
    body: options,
    timeoutMs: TIMEOUT_MS,
    mostBytes: 65_536,
    unreachable: UNREACHABLE,
  })
  if (answer.status >= 400) throw errorFromPlain(answer.body as PlainError)
  const deadlineMs = systemClock.monotonicMs() + LONGEST_STOP_MS
  while ((await isRunning(dataDirectory)) !== null) {
    if (systemClock.monotonicMs() > deadlineMs)
      throw new HoldfastError({ ...UNREACHABLE, kind: 'operational' })
    await systemClock.sleep(POLL_MS)
  }
}
