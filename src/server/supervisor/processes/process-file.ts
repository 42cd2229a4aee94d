import { isAlive } from '../machine/members.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import { parseJson, readIfThere, replaceFile } from '../../files/index.ts'

/** Variable that marks our own processes: `<hash of the data directory>/<name>`. */
export const PROCESS_MARK = 'HOLDFAST_PROCESS'

/** One of our own processes as the next supervisor finds it again. */
export interface ProcessRecord {
  readonly name: string
  readonly pid: number
  readonly birth: string
}

/** Writes the records. Throws the system's error. */
export function writeProcessRecords(path: string, processes: readonly ProcessRecord[]): void {
  replaceFile(path, JSON.stringify({ version: 1, processes }), false)
}

/** Control and edge that still live: those on record, and session leaders with this environment's mark. */
export function findLeftProcesses(
  table: ProcessTable,
  environment: string,
  path: string,
): readonly ProcessRecord[] {
  const found = new Map<number, ProcessRecord>()
  for (const record of readRecords(path)) {
    if (isAlive(table, record.pid, record.birth)) found.set(record.pid, record)
  }
  for (const entry of table.list()) {
    if (entry.zombie || entry.session !== entry.pid || found.has(entry.pid)) continue
    const mark = table.variable(entry.pid, PROCESS_MARK)
    if (mark?.startsWith(`${environment}/`) !== true) continue
    found.set(entry.pid, { name: mark.slice(environment.length + 1), pid: entry.pid, birth: entry.birth })
  }
  return [...found.values()]
}

function readRecords(path: string): readonly ProcessRecord[] {
  const json = parseJson(readQuietly(path)) as { processes?: unknown } | null | undefined
  const records: readonly unknown[] = Array.isArray(json?.processes) ? json.processes : []
  return records.filter((value): value is ProcessRecord => {
    const record = value as Partial<ProcessRecord> | null
    return (
      typeof record?.name === 'string' && Number.isInteger(record.pid) && typeof record.birth === 'string'
    )
  })
}

function readQuietly(path: string): string {
  try {
    return readIfThere(path) ?? ''
  } catch {
    return ''
  }
}
