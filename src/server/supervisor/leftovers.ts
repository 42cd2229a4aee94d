import { systemClock, type Clock } from '../../kernel/std/index.ts'
import { createEnder } from './machine/end-family.ts'
import { machineProcesses, type ProcessTable } from './machine/process-table.ts'
import { dataLayout, environmentHash } from './paths.ts'
import { findLeftProcesses, PROCESS_MARK } from './processes/process-file.ts'

/** What `endLeftovers` found and ended, a line for each. */
export type LeftoverReport = readonly string[]

const STOP_TIMEOUT_MS = 2000

/**
 * Ends control and edge of a supervisor that died (they outlive it on purpose): SIGTERM, after two seconds SIGKILL.
 * To be called only while no supervisor lives, and before their ports are opened anew. Replicas are left alone: the
 * next supervisor adopts them.
 */
export async function endLeftovers(
  dataDirectory: string,
  clock: Clock = systemClock,
  table: ProcessTable = machineProcesses(),
): Promise<LeftoverReport> {
  const layout = dataLayout(dataDirectory)
  const environment = environmentHash(layout.data)
  const ender = createEnder(clock, table)
  const left = findLeftProcesses(table, environment, layout.processesFile)
  await Promise.all(
    left.map(({ name, pid, birth }) => {
      const mark = { name: PROCESS_MARK, value: `${environment}/${name}` }
      return ender.end({ pid, birth, mark, groupPids: () => [] }, STOP_TIMEOUT_MS)
    }),
  )
  return left.map(
    ({ name, pid }) => `ended ${name} (pid ${pid}), which an earlier supervisor had left running`,
  )
}
