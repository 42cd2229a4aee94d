import { HoldfastError, systemCode } from '../../std/index.ts'

/** Primary result codes of SQLite: https://sqlite.org/rescode.html */
const result = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notDatabase: 26,
}

/** SQLITE_IOERR_SHMSIZE: the shared-memory file could not grow, because the disk is full. */
const sharedMemoryCannotGrow = 4874

/** Turns whatever SQLite or the file system threw into an error that says what happened to which file, and what to do. */
export function timelineFailure(error: unknown, path: string): unknown {
  if (error instanceof HoldfastError) return error
  const resultCode = (error as { errcode?: unknown } | null)?.errcode
  if (typeof resultCode === 'number') return sqliteFailure(error, resultCode, path)
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path, error)
  return code === undefined || code.startsWith('ERR_') ? error : unwritable(path, error)
}

function sqliteFailure(error: unknown, resultCode: number, path: string): unknown {
  if (resultCode === sharedMemoryCannotGrow) return diskFull(path, error)
  switch (resultCode % 256) {
    case result.full:
      return diskFull(path, error)
    case result.busy:
    case result.locked:
      return locked(path, error)
    case result.readOnly:
    case result.cannotOpen:
      return unwritable(path, error)
    case result.corrupt:
    case result.notDatabase:
      return corrupt(path, text(error), error)
    case result.ioError:
      return diskFailed(path, error)
    default:
      return error
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The file is not what we wrote; it is left as it is. */
export function corrupt(path: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.corrupt',
    kind: 'operational',
    message: `the timeline ${path} is damaged: ${why}`,
    hint: 'nothing was changed; restore the file from a backup, or move it and its -wal file aside to begin a new timeline',
    cause,
  })
}

function diskFull(path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.disk-full',
    kind: 'operational',
    message: `there is no space left for the timeline ${path}`,
    hint: 'free some space or keep less of the past; what was refused was not recorded, appends work again once there is space',
    cause,
  })
}

function diskFailed(path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.disk-failed',
    kind: 'operational',
    message: `the disk failed under the timeline ${path}: ${text(cause)}`,
    hint: 'look at the disk and the kernel log; what was refused is not acknowledged',
    cause,
  })
}

function locked(path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.locked',
    kind: 'operational',
    message: `another process has the timeline ${path} open`,
    hint: 'a timeline has one writer: stop the other Holdfast, or use another data directory',
    cause,
  })
}

function unwritable(path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.unwritable',
    kind: 'operational',
    message: `the timeline ${path} cannot be created or written: ${text(cause)}`,
    hint: 'make its directory writable for the user that Holdfast runs as, or choose another data directory',
    cause,
  })
}
