import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { HoldfastError } from '../../kernel/std/index.ts'

/** Where the supervisor keeps its things below a data directory; all paths absolute. */
export interface DataLayout {
  readonly data: string
  readonly lock: string
  /** Directory of what is true only while processes run. */
  readonly run: string
  /** `{ pid, startedAt, socket, version }` of the living supervisor; clients learn the socket's path here. */
  readonly supervisorFile: string
  /** Control and edge with their pids, so that the next start can end what an earlier one left. */
  readonly processesFile: string
  /** There while one supervisor takes over from another. */
  readonly handOverFile: string
  readonly logs: string
  /** Directory of the supervisor's own durable state. */
  readonly state: string
  readonly desiredFile: string
  readonly runFile: string
  readonly eventsFile: string
  /** Directory of the files that replicas are handed. */
  readonly files: string
}

/** The layout below a data directory, which need not exist yet. */
export function dataLayout(dataDirectory: string): DataLayout {
  const data = resolve(dataDirectory)
  const run = join(data, 'run')
  const state = join(data, 'supervisor')
  return {
    data,
    lock: join(data, 'lock.db'),
    run,
    supervisorFile: join(run, 'supervisor.json'),
    processesFile: join(run, 'processes.json'),
    handOverFile: join(run, 'hand-over.json'),
    logs: join(data, 'logs'),
    state,
    desiredFile: join(state, 'desired.json'),
    runFile: join(state, 'replicas.json'),
    eventsFile: join(state, 'events.jsonl'),
    files: join(data, 'files'),
  }
}

/** Creates the directories, readable by their owner only. Errors: `supervisor.data-unwritable`. */
export function createDirectories(layout: DataLayout): void {
  for (const directory of [layout.data, layout.run, layout.logs, layout.state]) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw new HoldfastError({
        code: 'supervisor.data-unwritable',
        kind: 'operational',
        message: `The data directory cannot be written: ${(cause as Error).message}`,
        hint: 'Choose another one with --data, or give yourself the right to write there.',
        cause,
      })
    }
  }
  chmodSync(layout.run, 0o700)
  chmodSync(layout.state, 0o700)
}

/** 12 hex digits that name a data directory in marks, groups and short paths. */
export function environmentHash(dataDirectory: string): string {
  const path = resolve(dataDirectory)
  return createHash('sha256').update(realPathOr(path)).digest('hex').slice(0, 12)
}

/** Log file of one of Holdfast's own processes. */
export function processLog(layout: DataLayout, name: string): string {
  return join(layout.logs, `${name}.log`)
}

/** Log file of a replica; `id` is `<service>/<slot>`. */
export function replicaLog(layout: DataLayout, id: string): string {
  return join(layout.logs, `${id}.log`)
}

/** macOS allows 103 bytes in a socket's path, Linux 107; both with the closing NUL beside them. */
const SOCKET_PATH_BYTES = 103

/** Path for the supervisor's socket: in `run/`, or a short one below the temporary directory when that is too long. */
export function socketPath(layout: DataLayout): string {
  const path = join(layout.run, 'supervisor.sock')
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES) return path
  const directory = join(tmpdir(), `holdfast-${environmentHash(layout.data)}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  refuseForeign(directory)
  return join(directory, 'supervisor.sock')
}

/** Others may write in the temporary directory too: what lies there must be a directory of our own. */
function refuseForeign(directory: string): void {
  const stat = lstatSync(directory)
  const ours = stat.isDirectory() && stat.uid === (process.getuid?.() ?? stat.uid)
  if (!ours) {
    throw new HoldfastError({
      code: 'supervisor.data-unwritable',
      kind: 'operational',
      message: `${directory} belongs to somebody else.`,
      hint: 'Choose a data directory with a shorter path.',
    })
  }
  chmodSync(directory, 0o700)
}

function realPathOr(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
