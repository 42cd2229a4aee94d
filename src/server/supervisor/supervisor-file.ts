import type { DataLayout } from './paths.ts'
import { parseJson, readIfThere, replaceFile } from '../files/index.ts'

/** What a living supervisor tells about itself in `run/supervisor.json`. */
export interface SupervisorFile {
  readonly pid: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Path of its socket. */
  readonly socket: string
  readonly version: string
}

/** Reads the file; undefined when it is not there or unreadable. It may speak of a dead supervisor. */
export function readSupervisorFile(layout: DataLayout): SupervisorFile | undefined {
  let json: unknown
  try {
    json = parseJson(readIfThere(layout.supervisorFile) ?? '')
  } catch {
    return undefined
  }
  const file = json as Partial<SupervisorFile> | null | undefined
  const { pid, startedAt, socket, version } = file ?? {}
  const whole =
    Number.isInteger(pid) &&
    typeof startedAt === 'number' &&
    typeof socket === 'string' &&
    typeof version === 'string'
  return whole ? { pid: Number(pid), startedAt, socket, version } : undefined
}

/** Writes the file. Throws the system's error. */
export function writeSupervisorFile(layout: DataLayout, file: SupervisorFile): void {
  replaceFile(layout.supervisorFile, JSON.stringify(file), false)
}
