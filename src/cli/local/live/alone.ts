import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../kernel/std/index.ts'
import type { AloneSpec } from '../../../server/composition/index.ts'
import { createEnder } from '../../../server/supervisor/machine/end-family.ts'
import { launch } from '../../../server/supervisor/machine/launch.ts'
import { machineListeners, socketInodes } from '../../../server/supervisor/machine/listeners.ts'
import { familyMembers } from '../../../server/supervisor/machine/members.ts'
import { placeFiles } from '../../../server/supervisor/replicas/place-files.ts'
import { machineProcesses } from '../../../server/supervisor/machine/process-table.ts'
import { openFiles } from './files.ts'
import type { Ended, Listening } from './observed.ts'

/** A service that runs alone, seen from outside. */
export interface Running {
  readonly pid: number
  /** Null while it runs. */
  ended(): Ended | null
  /** Null: this machine does not tell. */
  listening(): readonly Listening[] | null
  /** Files below its directory that it holds open for writing; null: this machine does not tell. */
  openFiles(): readonly string[] | null
  /** How many of its processes run. */
  members(): number
  /** Kills whatever is left of it. */
  kill(): Promise<void>
}

/** Starts a service alone, again and again. */
export interface Alone {
  /** `port` null: it serves none. Rejects when its program cannot be run. */
  start(port: number | null): Promise<Running>
  /** Bytes that it wrote to standard output and error so far. */
  written(): number
  /** The last lines of that. */
  lastLines(count: number): readonly string[]
  /** Kills whatever still runs of what was started. */
  killAll(): Promise<void>
}

/** Every process of it carries this variable, so that none is lost. */
const markName = 'HOLDFAST_CHECK'
const tailBytes = 8192

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function readEnd(file: string): string {
  const size = sizeOf(file)
  if (size === 0) return ''
  const descriptor = openSync(file, 'r')
  try {
    const end = Buffer.alloc(Math.min(size, tailBytes))
    readSync(descriptor, end, 0, end.length, size - end.length)
    return end.toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}

/** Prepares to run a service alone; `logDirectory` is an empty directory for what it writes. */
export function createAlone(spec: AloneSpec, mark: string, logDirectory: string): Alone {
  const logFile = join(logDirectory, 'output.log')
  const table = machineProcesses()
  const ender = createEnder(systemClock, table)
  const started: Running[] = []
  const hasProc = process.platform === 'linux'
  const start = async (port: number | null): Promise<Running> => {
    const listening = port === null ? {} : { PORT: String(port) }
    const variables = {
      ...placeFiles(join(logDirectory, 'files'), { service: 'alone', files: spec.files ?? {} }, null),
      ...spec.variables,
      PWD: spec.directory,
      HOST: '127.0.0.1',
      ...listening,
      [markName]: mark,
    }
    const { command, directory } = spec
    const process = await launch(
      { command, directory, variables, descriptors: [], logFile, joinFiles: [], user: null },
      table,
    )
    const { pid, birth } = process
    const family = { pid, birth, mark: { name: markName, value: mark }, groupPids: [] }
    const pids = (): readonly number[] => familyMembers(family, table).map((member) => member.pid)
    let ended: Ended | null = null
    void process.exited.then((exit) => (ended = exit))
    const running: Running = {
      pid,
      ended: () => ended,
      listening: () => {
        if (!hasProc) return null
        const inodes = new Set(pids().flatMap((each) => [...socketInodes(each)]))
        return machineListeners().filter(({ inode }) => inodes.has(inode))
      },
      openFiles: () => (hasProc ? openFiles(pids(), directory) : null),
      members: () => pids().length,
      kill: () => ender.kill({ ...family, groupPids: () => [] }),
    }
    started.push(running)
    return running
  }
  return {
    start,
    written: () => sizeOf(logFile),
    lastLines: (count) => readEnd(logFile).trimEnd().split('\n').slice(-count),
    killAll: async () => {
      for (const running of started) await running.kill()
    },
  }
}
