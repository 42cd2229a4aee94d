import { HoldfastError, systemCode } from '../std/index.ts'

/**
 * What happened to a store's file: it is not what we wrote, the disk has no space, another connection has it, we may
 * not create or write it, the disk failed.
 */
export type StoreFailure = 'corrupt' | 'full' | 'locked' | 'unwritable' | 'failed'

/** A store's own errors; `why` is what SQLite or the system said. */
export type FailureErrors = {
  readonly [F in StoreFailure]: (path: string, why: string, cause: unknown) => HoldfastError
}

/** SQLITE_IOERR_SHMSIZE: the shared-memory file could not grow, because the disk is full. */
const sharedMemoryCannotGrow = 4874

/** By primary result code, the lowest byte of every code: https://sqlite.org/rescode.html */
const byResult: Readonly<Record<number, StoreFailure>> = {
  5: 'locked',
  6: 'locked',
  8: 'unwritable',
  10: 'failed',
  11: 'corrupt',
  13: 'full',
  14: 'unwritable',
  26: 'corrupt',
}

/** What an error of SQLite or the file system means for a store; null: it is neither's, or a mistake of ours. */
export function storeFailure(error: unknown): StoreFailure | null {
  const result = (error as { readonly errcode?: unknown } | null)?.errcode
  if (result === sharedMemoryCannotGrow) return 'full'
  if (typeof result === 'number') return byResult[result % 256] ?? null
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'full'
  return code === undefined || code.startsWith('ERR_') ? null : 'unwritable'
}

/** Turns whatever SQLite or the file system threw into the store's own error; anything else stays what it is. */
export function explainFailure(error: unknown, path: string, errors: FailureErrors): unknown {
  if (error instanceof HoldfastError) return error
  const failure = storeFailure(error)
  if (failure === null) return error
  return errors[failure](path, error instanceof Error ? error.message : String(error), error)
}
