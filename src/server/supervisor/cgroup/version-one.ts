import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  groupPids,
  keyedValue,
  limitsFrom,
  readGroupFile,
  removeGroups,
  singleValue,
  type Group,
  type GroupLimits,
} from './group.ts'

/** Parent directory of our groups in each hierarchy (kernel documentation, cgroup-v1); cpu and cpuacct are often the same. */
export interface VersionOneParents {
  readonly cpu: string
  readonly cpuacct: string
  readonly memory: string
}

const PERIOD_US = 100_000
/** The kernel refuses a quota below a millisecond. */
const LEAST_QUOTA_US = 1000

/** A group over existing directories. */
export function versionOneGroup(parents: VersionOneParents, name: string): Group {
  const memory = join(parents.memory, name)
  const accounting = join(parents.cpuacct, name)
  const cpu = join(parents.cpu, name)
  const directories = [...new Set([cpu, accounting, memory])]
  return {
    joinFiles: directories.map((directory) => join(directory, 'cgroup.procs')),
    pids: () => groupPids(directories),
    cpuMs: () => {
      const usedNs = singleValue(readGroupFile(accounting, 'cpuacct.usage'))
      return usedNs === undefined ? null : usedNs / 1e6
    },
    memoryBytes: () => {
      const used = singleValue(readGroupFile(memory, 'memory.usage_in_bytes'))
      const inactive = keyedValue(readGroupFile(memory, 'memory.stat'), 'total_inactive_file') ?? 0
      return used === undefined ? null : Math.max(0, used - inactive)
    },
    limits: () => {
      const ofCpu = (name: string): string => readGroupFile(cpu, name)
      const bytes = readGroupFile(memory, 'memory.limit_in_bytes')
      return limitsFrom(bytes, ofCpu('cpu.cfs_quota_us'), ofCpu('cpu.cfs_period_us'))
    },
    outOfMemoryKills: () => keyedValue(readGroupFile(memory, 'memory.oom_control'), 'oom_kill') ?? 0,
    remove: () => removeGroups(directories),
  }
}

/** Creates the directories of a group (or takes those that are there) and sets its limits. Throws the system's error. */
export function createVersionOneGroup(parents: VersionOneParents, name: string, limits: GroupLimits): Group {
  const directories = new Set(Object.values<string>({ ...parents }).map((parent) => join(parent, name)))
  for (const directory of directories) mkdirSync(directory, { recursive: true })
  const cpu = join(parents.cpu, name)
  const quotaUs = limits.cpus === null ? -1 : Math.max(LEAST_QUOTA_US, Math.round(limits.cpus * PERIOD_US))
  if (limits.cpus !== null) writeFileSync(join(cpu, 'cpu.cfs_period_us'), String(PERIOD_US))
  writeFileSync(join(cpu, 'cpu.cfs_quota_us'), String(quotaUs))
  const bytes = limits.memoryMiB === null ? -1 : limits.memoryMiB * 2 ** 20
  writeFileSync(join(parents.memory, name, 'memory.limit_in_bytes'), String(bytes))
  return versionOneGroup(parents, name)
}
