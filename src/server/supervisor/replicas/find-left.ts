import { isAlive } from '../machine/members.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import { parseMark, REPLICA_MARK, sayMark, type Mark } from './accepted.ts'
import type { RunRecord } from './run-file.ts'

/** What an earlier supervisor left running. */
export interface LeftReplicas {
  /** One main process per replica. */
  readonly replicas: readonly RunRecord[]
  /** Marked processes of replicas whose main process is gone: nobody wants them. */
  readonly orphans: readonly { readonly pid: number; readonly birth: string; readonly mark: string }[]
}

/** A process that carries this environment's mark. */
export interface Marked {
  readonly pid: number
  readonly birth: string
  readonly leads: boolean
  readonly startedAt: number
  readonly mark: Mark
}

/**
 * Finds replicas again: first those on record (pid and birth still the same), then leaders of sessions that carry this
 * environment's mark but are not on record, since the supervisor may die between a start and its record.
 */
export function findLeftReplicas(
  table: ProcessTable,
  environment: string,
  recorded: readonly RunRecord[],
): LeftReplicas {
  const byId = new Map<string, RunRecord>()
  for (const record of recorded) {
    if (isAlive(table, record.pid, record.birth)) byId.set(record.id, record)
  }
  const marked = markedProcesses(table, environment)
  for (const item of marked) {
    if (item.leads && !byId.has(item.mark.id)) byId.set(item.mark.id, recordOf(item, table))
  }
  const orphans = marked
    .filter((item) => !byId.has(item.mark.id))
    .map(({ pid, birth, mark }) => ({ pid, birth, mark: sayMark(mark) }))
  return { replicas: [...byId.values()], orphans }
}

/** Every living process but our own that carries this environment's mark. */
export function markedProcesses(table: ProcessTable, environment: string): readonly Marked[] {
  return table.list().flatMap((entry) => {
    const mark = entry.zombie ? undefined : parseMark(table.variable(entry.pid, REPLICA_MARK) ?? '')
    const ours = mark !== undefined && mark.environment === environment && entry.pid !== process.pid
    const { pid, birth, startedAt } = entry
    return ours ? [{ pid, birth, startedAt, leads: entry.session === pid, mark }] : []
  })
}

function recordOf(item: Marked, table: ProcessTable): RunRecord {
  const port = Number(table.variable(item.pid, 'PORT') ?? 0)
  return {
    id: item.mark.id,
    specHash: item.mark.specHash,
    pid: item.pid,
    birth: item.birth,
    startedAt: item.startedAt,
    port: port > 0 ? port : null,
    restarts: 0,
    exit: null,
  }
}
