import { HoldfastError } from '../../std/index.ts'
import { explainFailure, markPath } from '../../store/index.ts'

/** Turns whatever SQLite or the file system threw into an error that says what happened to which file, and what to do. */
export function timelineFailure(error: unknown, path: string): unknown {
  return explainFailure(error, path, { corrupt, full, locked, unwritable, failed })
}

/** The file is not what we wrote; it is left as it is. */
export function corrupt(path: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.corrupt',
    kind: 'operational',
    message: `the timeline ${path} is damaged: ${why}`,
    hint: 'nothing was changed; restore the file from a backup, or move it, its -wal and its .head aside to begin a new timeline',
    cause,
  })
}

/** It is whole, but not the one that was there. */
export function shortened(path: string, why: string): HoldfastError {
  return new HoldfastError({
    code: 'timeline.corrupt',
    kind: 'operational',
    message: `the timeline ${path} is damaged: ${why}`,
    hint: `nothing was changed; restore the file with its -wal from a backup, or, to go on without what is missing, remove ${markPath(path)}`,
  })
}

function full(path: string, _: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.disk-full',
    kind: 'operational',
    message: `there is no space left for the timeline ${path}`,
    hint: 'free some space or keep less of the past; what was refused was not recorded, appends work again once there is space',
    cause,
  })
}

function failed(path: string, why: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.disk-failed',
    kind: 'operational',
    message: `the disk failed under the timeline ${path}: ${why}`,
    hint: 'look at the disk and the kernel log; what was refused is not acknowledged',
    cause,
  })
}

function locked(path: string, _: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.locked',
    kind: 'operational',
    message: `another process has the timeline ${path} open`,
    hint: 'a timeline has one writer: stop the other Holdfast, or use another data directory',
    cause,
  })
}

function unwritable(path: string, why: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.unwritable',
    kind: 'operational',
    message: `the timeline ${path} cannot be created or written: ${why}`,
    hint: 'make its directory writable for the user that Holdfast runs as, or choose another data directory',
    cause,
  })
}
