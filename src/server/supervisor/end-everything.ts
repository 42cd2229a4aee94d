import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../kernel/std/index.ts'
import { removeGroupFolder } from './cgroup/index.ts'
import { isRunning } from './lock.ts'
import { signalProcess } from './machine/end-family.ts'
import { machineProcesses, type ProcessTable } from './machine/process-table.ts'
import { dataLayout, environmentHash } from './paths.ts'
import { PROCESS_MARK } from './processes/process-file.ts'
import { REPLICA_MARK } from './replicas/accepted.ts'
import { stopSupervisor } from './ask-supervisor.ts'

const pollMs = 25
/** Two seconds: what is not gone then is stuck in the kernel. */
const rounds = 80

/** When a process was started, as the machine says it: with its pid it names one process for ever. Undefined: it is gone. */
export function birthOf(pid: number): string | undefined {
  const entry = machineProcesses().read(pid)
  return entry === undefined || entry.zombie ? undefined : entry.birth
}

function markedPids(table: ProcessTable, environment: string): readonly number[] {
  const isOurs = (pid: number, name: string): boolean =>
    table.variable(pid, name)?.startsWith(`${environment}/`) === true
  return table
    .list()
    .filter(({ pid, zombie }) => !zombie && pid !== process.pid)
    .map(({ pid }) => pid)
    .filter((pid) => isOurs(pid, PROCESS_MARK) || isOurs(pid, REPLICA_MARK))
}

/**
 * Ends whatever runs on a data directory that is to be thrown away, whoever of it lives or has died, and removes what it
 * made elsewhere: cgroups, and directories of sockets whose paths were too long. The directory itself is left.
 */
export async function endEverything(dataDirectory: string): Promise<void> {
  const { data } = dataLayout(dataDirectory)
  const running = await isRunning(data)
  if (running !== null)
    await stopSupervisor(data).catch(() => running.pid !== null && signalProcess(running.pid, 'SIGKILL'))
  const environment = environmentHash(data)
  const table = machineProcesses()
  for (let round = 0; round < rounds; round++) {
    const pids = markedPids(table, environment)
    for (const pid of pids) signalProcess(pid, 'SIGKILL')
    if (pids.length === 0 && removeGroupFolder(`holdfast-${environment}`)) break
    await systemClock.sleep(pollMs)
  }
  const digits = createHash('sha256').update(data).digest('hex').slice(0, 12)
  for (const name of [`holdfast-${environment}`, `holdfast-edge-${digits}`])
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
}
