import type { ReplicaStatus } from '../../../contracts/supervisor.ts'
import { parseJson, readIfThere, replaceFile } from '../../files/index.ts'

/** A replica that runs, or has run once, as the next supervisor finds it again. */
export interface RunRecord {
  readonly id: string
  readonly specHash: string
  /** 0: what runs once is about to start, or has ended. */
  readonly pid: number
  readonly birth: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly port: number | null
  readonly restarts: number
  /** How what runs once ended; null: it has not, as far as is known. */
  readonly exit: ReplicaStatus['lastExit']
}

/** Reads the records of an earlier supervisor; what does not fit is left out, for marks in the environment find it too. */
export function readRunRecords(path: string): readonly RunRecord[] {
  const json = parseJson(readQuietly(path)) as { replicas?: unknown } | null | undefined
  const records: readonly unknown[] = Array.isArray(json?.replicas) ? json.replicas : []
  return records.filter(isRecord).map((record) => ({ ...record, exit: record.exit ?? null }))
}

function readQuietly(path: string): string {
  try {
    return readIfThere(path) ?? ''
  } catch {
    return ''
  }
}

function isRecord(value: unknown): value is RunRecord {
  const record = value as Partial<RunRecord> | null
  return (
    typeof record?.id === 'string' &&
    typeof record.specHash === 'string' &&
    Number.isInteger(record.pid) &&
    typeof record.birth === 'string' &&
    Number.isFinite(record.startedAt) &&
    Number.isInteger(record.restarts) &&
    (record.port === null || Number.isInteger(record.port))
  )
}

/** Writes the records. Pids mean nothing after a power cut, so this does not wait for the disk. Throws the system's error. */
export function writeRunRecords(path: string, replicas: readonly RunRecord[]): void {
  replaceFile(path, JSON.stringify({ version: 1, replicas }), false)
}
