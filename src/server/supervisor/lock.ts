import { closeSync, existsSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HoldfastError, systemClock } from '../../kernel/std/index.ts'
import { createDirectories, dataLayout, type DataLayout } from './paths.ts'
import { readSupervisorFile } from './supervisor-file.ts'

/** The lock on a data directory; the kernel releases it when its holder dies, however it dies. */
export interface InstanceLock {
  release(): void
}

const SQLITE_BUSY = 5
const SQLITE_NOT_A_DATABASE = 26

/**
 * Takes the lock: an exclusive transaction on `<data>/lock.db` that is never ended. Another's short look (`isRunning`)
 * is waited for up to `waitMs`. Errors: `supervisor.already-running`.
 */
export async function acquireLock(layout: DataLayout, waitMs = 500): Promise<InstanceLock> {
  createDirectories(layout)
  const deadlineMs = systemClock.monotonicMs() + waitMs
  for (;;) {
    const lock = tryLock(layout.lock)
    if (lock !== undefined) return lock
    if (systemClock.monotonicMs() >= deadlineMs) throw alreadyRunning(layout)
    await systemClock.sleep(20)
  }
}

/**
 * Keeps a second `holdfast up` from starting on the same data directory at the same time: between its look whether one
 * runs and the lock of its supervisor lies more than a second. Errors: `supervisor.already-running`,
 * `supervisor.data-unwritable`.
 */
export function lockStart(dataDirectory: string): InstanceLock {
  const path = join(resolve(dataDirectory), 'start.db')
  const lock = tryLock(path)
  if (lock !== undefined) return lock
  throw new HoldfastError({
    code: 'supervisor.already-running',
    kind: 'user',
    message: `another "holdfast up" is starting on the data directory ${dataDirectory} at this moment`,
    hint: 'look at it with "holdfast status", or choose another directory with --data',
  })
}

/**
 * The supervisor that lives on this data directory, or null. Its pid is null while it has not opened its door yet.
 * Creates nothing. Errors: `supervisor.data-unwritable`.
 */
export async function isRunning(dataDirectory: string): Promise<{ readonly pid: number | null } | null> {
  const layout = dataLayout(dataDirectory)
  if (!existsSync(layout.lock) || !isLocked(layout.lock)) return null
  const file = readSupervisorFile(layout)
  const fresh = file !== undefined && (await answers(file.socket))
  return { pid: fresh ? file.pid : null }
}

/** A shared lock is enough to see an exclusive one, and two who look do not see one another. */
function isLocked(path: string): boolean {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA busy_timeout=0; SELECT count(*) FROM sqlite_master')
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw unusable(path, error)
  } finally {
    database.close()
  }
}

const LOOK_TIMEOUT_MS = 1000

/** Whether somebody accepts connections on a socket; the file that names it may be a dead supervisor's. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    const end = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(LOOK_TIMEOUT_MS, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

function tryLock(path: string): InstanceLock | undefined {
  // Who may read a lock could hold it. A file that is there is left alone: closing it would end locks of this process.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA busy_timeout=0; BEGIN EXCLUSIVE')
    return { release: () => database.close() }
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw unusable(path, error)
  }
}

/** Extended result codes carry the plain one in their lowest byte. */
const resultOf = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) % 256
const isBusy = (error: unknown): boolean => resultOf(error) === SQLITE_BUSY

const unusable = (path: string, cause: unknown): HoldfastError =>
  new HoldfastError({
    code: 'supervisor.data-unwritable',
    kind: 'operational',
    message: `The lock ${path} cannot be taken: ${(cause as Error).message}`,
    hint:
      resultOf(cause) === SQLITE_NOT_A_DATABASE
        ? 'A lock holds nothing: when no Holdfast runs here, delete the file.'
        : 'Look at the rights of the data directory and at the free space of its disk.',
    cause,
  })

/** The error of a second instance, naming the first where it can. */
export function alreadyRunning(layout: DataLayout): HoldfastError {
  const pid = readSupervisorFile(layout)?.pid
  return new HoldfastError({
    code: 'supervisor.already-running',
    kind: 'user',
    message: `Another Holdfast${pid === undefined ? '' : ` (pid ${pid})`} runs on the data directory ${layout.data}.`,
    hint: 'Stop it first, or use another data directory with --data.',
  })
}
