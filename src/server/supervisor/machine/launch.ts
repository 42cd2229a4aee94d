import { spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from '../../../kernel/std/index.ts'
import { belongAsDirectory } from '../../files/index.ts'
import { asUser, type ProcessUser } from './as-user.ts'
import type { ProcessTable } from './process-table.ts'

/** How a process ended; both null when nobody can know (an adopted one). */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** What to start. */
export interface LaunchRequest {
  /** Program and arguments. */
  readonly command: readonly string[]
  readonly directory: string
  /** Its whole environment. */
  readonly variables: Readonly<Record<string, string>>
  /** Our descriptors that it inherits as 3, 4, 5 ... */
  readonly descriptors: readonly number[]
  /** Standard output and error are appended here. */
  readonly logFile: string
  /** `cgroup.procs` files that it enters before the program runs. */
  readonly joinFiles: readonly string[]
  /** Whom it runs as; null: as we do. */
  readonly user: ProcessUser | null
}

/** A started process. */
export interface Launched {
  readonly pid: number
  readonly birth: string
  /** Resolves once, when it ends; never rejects. */
  readonly exited: Promise<Exit>
  /** Size of the log file before it wrote anything. */
  readonly logOffset: number
}

/**
 * Starts a process in a session of its own, so that neither Ctrl-C in a terminal nor our own death reaches it.
 * Output goes to a file and never to a pipe, for a pipe would break with us. Rejects with the system's error when
 * the program cannot be run.
 */
export async function launch(request: LaunchRequest, table: ProcessTable): Promise<Launched> {
  const log = openLog(request.logFile)
  try {
    const logOffset = fstatSync(log).size
    return { ...(await start(request, log, table)), logOffset }
  } finally {
    closeSync(log)
  }
}

/** On a full disk a service without a log is better than none. */
function openLog(path: string): number {
  try {
    makePlace(dirname(path))
    const log = openSync(path, 'a', 0o600)
    belongAsDirectory(log, path)
    return log
  } catch (error) {
    const full = systemCode(error) === 'ENOSPC' || systemCode(error) === 'EDQUOT'
    if (full) return openSync('/dev/null', 'a')
    throw error
  }
}

/** A new directory belongs to whom the one above it belongs: who may read one log may read them all. */
function makePlace(directory: string): void {
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) === undefined) return
  const place = openSync(directory, 'r')
  try {
    belongAsDirectory(place, directory)
  } finally {
    closeSync(place)
  }
}

function start(
  request: LaunchRequest,
  log: number,
  table: ProcessTable,
): Promise<Omit<Launched, 'logOffset'>> {
  const [program = '', ...rest] = joined(request)
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd: request.directory,
      env: request.variables,
      detached: true,
      stdio: ['ignore', log, log, ...request.descriptors],
    })
    const exited = new Promise<Exit>((ended) => {
      child.once('exit', (code, signal) => ended({ code, signal }))
    })
    child.once('error', reject)
    child.once('spawn', () => {
      const pid = child.pid ?? 0
      resolve({ pid, birth: table.read(pid)?.birth ?? 'unknown', exited })
    })
  })
}

/** Only the process itself can enter a group before the program runs, and as us; `exec` keeps the pid. */
const JOIN_SCRIPT =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1"; shift; n=$((n - 1)); done; exec "$@"'

function joined(request: LaunchRequest): readonly string[] {
  const { joinFiles } = request
  const command = asUser(request.user, request.command)
  if (joinFiles.length === 0) return command
  return ['/bin/sh', '-c', JOIN_SCRIPT, 'holdfast-join', String(joinFiles.length), ...joinFiles, ...command]
}
