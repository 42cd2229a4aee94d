import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../../kernel/std/index.ts'
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

const PERIOD_US = 100_000
const LEAST_QUOTA_US = 1000

/** A group over an existing directory of the unified hierarchy (kernel documentation, cgroup-v2). */
export function versionTwoGroup(parent: string, name: string): Group {
  const directory = join(parent, name)
  return {
    joinFiles: [join(directory, 'cgroup.procs')],
    pids: () => groupPids([directory]),
    cpuMs: () => {
      const usedUs = keyedValue(readGroupFile(directory, 'cpu.stat'), 'usage_usec')
      return usedUs === undefined ? null : usedUs / 1000
    },
    memoryBytes: () => {
      const used = singleValue(readGroupFile(directory, 'memory.current'))
      const inactive = keyedValue(readGroupFile(directory, 'memory.stat'), 'inactive_file') ?? 0
      return used === undefined ? null : Math.max(0, used - inactive)
    },
    limits: () => {
      const [quotaUs = '', periodUs = ''] = readGroupFile(directory, 'cpu.max').split(' ')
      return limitsFrom(readGroupFile(directory, 'memory.max'), quotaUs, periodUs)
    },
    outOfMemoryKills: () => keyedValue(readGroupFile(directory, 'memory.events'), 'oom_kill') ?? 0,
    remove: () => removeGroups([directory]),
  }
}

/** Creates a group below `parent` and sets its limits. Throws the system's error. */
export function createVersionTwoGroup(parent: string, name: string, limits: GroupLimits): Group {
  const directory = join(parent, name)
  mkdirSync(directory, { recursive: true })
  const quotaUs =
    limits.cpus === null ? 'max' : String(Math.max(LEAST_QUOTA_US, Math.round(limits.cpus * PERIOD_US)))
  writeFileSync(join(directory, 'cpu.max'), `${quotaUs} ${PERIOD_US}`)
  const bytes = limits.memoryMiB === null ? 'max' : String(limits.memoryMiB * 2 ** 20)
  writeFileSync(join(directory, 'memory.max'), bytes)
  return versionTwoGroup(parent, name)
}

/**
 * Makes `parent` (a directory below `base`) hand the cpu and memory controllers on to its children. A group with
 * members may not do so ("no internal processes"), therefore we and the process that started us move to a leaf first.
 * Throws the system's error when the subtree is not ours to arrange.
 */
export function prepareVersionTwo(base: string, parent: string): void {
  enableControllers(base, join(base, 'holdfast-leaf'))
  mkdirSync(parent, { recursive: true })
  writeFileSync(join(parent, 'cgroup.subtree_control'), '+cpu +memory')
}

function enableControllers(base: string, leaf: string): void {
  const enabled = readGroupFile(base, 'cgroup.subtree_control').split(/\s/)
  if (enabled.includes('cpu') && enabled.includes('memory')) return
  const control = join(base, 'cgroup.subtree_control')
  try {
    writeFileSync(control, '+cpu +memory')
  } catch (error) {
    if (systemCode(error) !== 'EBUSY') throw error
    const here = groupPids([base])
    // Strangers (a login shell) would stay behind and keep it busy; moving them is not our business.
    if (here.some((pid) => pid !== process.pid && pid !== process.ppid)) throw error
    mkdirSync(leaf, { recursive: true })
    for (const pid of here) writeFileSync(join(leaf, 'cgroup.procs'), String(pid))
    writeFileSync(control, '+cpu +memory')
  }
}
