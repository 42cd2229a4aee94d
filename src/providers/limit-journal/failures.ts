import { HoldfastError } from '../../kernel/std/index.ts'
import { explainFailure } from '../../kernel/store/index.ts'

/** Turns whatever SQLite or the file system threw into an error that says what happened to which file, and what to do. */
export function journalFailure(error: unknown, path: string): unknown {
  return explainFailure(error, path, {
    corrupt,
    full: (_, __, cause) => failed(path, 'there is no space left', cause),
    locked: (_, __, cause) => failed(path, 'another process has it open', cause),
    unwritable: failed,
    failed,
  })
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
