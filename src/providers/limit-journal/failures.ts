import { HoldfastError, systemCode } from '../../kernel/std/index.ts'

/** Primary result codes of SQLite: https://sqlite.org/rescode.html */
const result = { busy: 5, locked: 6, corrupt: 11, full: 13, notDatabase: 26 }

/** Turns whatever SQLite or the file system threw into an error that says what happened to which file, and what to do. */
export function journalFailure(error: unknown, path: string): unknown {
  if (error instanceof HoldfastError) return error
  const resultCode = (error as { readonly errcode?: unknown } | null)?.errcode
  if (typeof resultCode === 'number') return sqliteFailure(error, resultCode % 256, path)
  const code = systemCode(error)
  if (code === undefined || code.startsWith('ERR_')) return error
  return failed(path, code === 'ENOSPC' || code === 'EDQUOT' ? 'there is no space left' : text(error), error)
}

function sqliteFailure(error: unknown, resultCode: number, path: string): HoldfastError {
  switch (resultCode) {
    case result.corrupt:
    case result.notDatabase:
      return corrupt(path, text(error), error)
    case result.full:
      return failed(path, 'there is no space left', error)
    case result.busy:
    case result.locked:
      return failed(path, 'another process has it open', error)
    default:
      return failed(path, text(error), error)
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The file is not what we wrote; it is left as it is. */
export function corrupt(path: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'limits.journal-corrupt',
    kind: 'operational',
    message: `the journal of application limits ${path} is damaged: ${why}`,
    hint: 'nothing was changed; restore the file from a backup, or move it and its -wal file aside to count anew',
    cause,
  })
}

function failed(path: string, why: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'limits.journal-failed',
    kind: 'operational',
    message: `the journal of application limits ${path} cannot be written: ${why}`,
    hint: 'what was refused took nothing; mend the disk or its permissions, then it goes on by itself',
    cause,
  })
}

/** The thread is gone. */
export function ended(cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'limits.journal-failed',
    kind: 'operational',
    message: 'the thread of the journal of application limits has ended',
    hint: 'restart control',
    cause,
  })
}

/** Too much waits for the disk. */
export function full(waiting: number): HoldfastError {
  return new HoldfastError({
    code: 'limits.journal-full',
    kind: 'operational',
    message: `${waiting} takes wait for the disk already`,
    hint: 'nothing was taken; try again in a moment, and look why the disk is slow',
  })
}
