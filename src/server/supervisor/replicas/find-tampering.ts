import type { Tampering } from '../../../contracts/supervisor.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import { markedProcesses } from './find-left.ts'
import type { Replica } from './replica.ts'

type Look = Pick<Replica, 'id' | 'current' | 'wished'>

/** What is looked at. */
export interface TamperingGround {
  readonly table: ProcessTable
  /** See `environmentHash`. */
  readonly environment: string
}

/** The kernel rounds what it is told: quotas to microseconds, bytes to pages. */
const tolerance = 0.005

const differs = (wished: number | null, is: number | null): boolean =>
  wished === null || is === null ? wished !== is : Math.abs(wished - is) > tolerance * Math.max(1, wished)

function limitsOf({ id, current, wished }: Look): Tampering['limits'] {
  const limits = current?.group?.limits() ?? null
  if (limits === null || wished === null || current?.specHash !== wished.specHash) return []
  const { memoryMiB, cpus } = wished.spec
  if (!differs(memoryMiB, limits.memoryMiB) && !differs(cpus, limits.cpus)) return []
  return [
    {
      replica: id,
      memoryMiB: { wished: memoryMiB, is: limits.memoryMiB },
      cpus: { wished: cpus, is: limits.cpus },
    },
  ]
}

function isFrozen(pid: number | undefined, table: ProcessTable): boolean {
  return pid !== undefined && (table.read(pid)?.frozen ?? false)
}

function straysOf(replicas: readonly Look[], { table, environment }: TamperingGround): Tampering['strays'] {
  const running = new Set(replicas.map(({ id, current }) => `${id} ${current?.specHash ?? ''}`))
  return markedProcesses(table, environment)
    .filter(({ mark }) => !running.has(`${mark.id} ${mark.specHash}`))
    .map(({ pid, startedAt, mark }) => ({ pid, replica: mark.id, startedAt }))
}

/** What somebody changed by hand about replicas: processes, bounds, and whether they go on; looks and touches nothing. */
export function findTampering(replicas: readonly Look[], ground: TamperingGround): Tampering {
  return {
    strays: straysOf(replicas, ground),
    frozen: replicas.filter(({ current }) => isFrozen(current?.pid, ground.table)).map(({ id }) => id),
    limits: replicas.flatMap(limitsOf),
  }
}
