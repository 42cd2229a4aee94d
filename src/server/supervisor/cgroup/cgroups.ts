import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Group, GroupLimits } from './group.ts'
import { groupDirectory, parseMembership, parseMounts, type CgroupMounts } from './mounts.ts'
import { createVersionOneGroup, versionOneGroup, type VersionOneParents } from './version-one.ts'
import { createVersionTwoGroup, prepareVersionTwo, versionTwoGroup } from './version-two.ts'

/** The control groups of this supervisor. */
export interface Cgroups {
  /** Why there are none, in words; null when there are. */
  readonly note: string | null
  /** Creates a group with limits, or sets them anew; null when there are none. Throws the system's error. */
  create(name: string, limits: GroupLimits): Group | null
  /** The group that a living process of an earlier supervisor is in; null when it is in none of ours. */
  find(pid: number, name: string): Group | null
}

const NO_GROUPS: Omit<Cgroups, 'note'> = { create: () => null, find: () => null }

/** What the machine says about its groups; replaceable for tests. */
export interface CgroupFiles {
  /** Text of `/proc/mounts`. */
  mounts(): string
  /** Text of `/proc/<pid>/cgroup`; `pid` as number or `self`. */
  membership(pid: number | 'self'): string
}

/** The files of this machine. */
export const machineFiles: CgroupFiles = {
  mounts: () => readFileSync('/proc/mounts', 'utf8'),
  membership: (pid) => readFileSync(`/proc/${pid}/cgroup`, 'utf8'),
}

/**
 * Finds out what this machine permits. Groups lie below our own, so that whatever bounds us bounds replicas too; for
 * version 2, where our own may not be divided (a login session), they lie at the top of the hierarchy.
 * `folder` names our directory.
 */
export function machineCgroups(folder: string, files: CgroupFiles = machineFiles): Cgroups {
  let mounts: CgroupMounts
  let own: ReadonlyMap<string, string>
  try {
    mounts = parseMounts(files.mounts())
    own = parseMembership(files.membership('self'))
  } catch {
    return { ...NO_GROUPS, note: 'this system has no cgroups: no CPU and memory limits' }
  }
  const opened = openOne(mounts, own, folder) ?? openTwo(mounts, own, folder)
  if (opened === undefined)
    return { ...NO_GROUPS, note: 'cgroups are not writable: no CPU and memory limits' }
  return {
    note: null,
    create: (name, limits) => opened.create(name, limits),
    find: (pid, name) => opened.find(membershipOf(files, pid), name),
  }
}

interface Opened {
  create(name: string, limits: GroupLimits): Group
  find(paths: ReadonlyMap<string, string>, name: string): Group | null
}

function openOne(mounts: CgroupMounts, own: ReadonlyMap<string, string>, folder: string): Opened | undefined {
  const parentsAt = (paths: ReadonlyMap<string, string>): VersionOneParents | undefined => {
    const directory = (controller: string): string | undefined => {
      const mount = mounts.one.get(controller)
      return mount === undefined ? undefined : groupDirectory(mount, paths.get(controller) ?? '/')
    }
    const [cpu, cpuacct, memory] = [directory('cpu'), directory('cpuacct'), directory('memory')]
    return cpu === undefined || cpuacct === undefined || memory === undefined
      ? undefined
      : { cpu, cpuacct, memory }
  }
  const base = parentsAt(own)
  if (base === undefined) return undefined
  const parents = mapParents(base, (directory) => join(directory, folder))
  if (!works(() => createVersionOneGroup(parents, 'trial', { memoryMiB: null, cpus: null }).remove()))
    return undefined
  return {
    create: (name, limits) => createVersionOneGroup(parents, name, limits),
    find: (paths, name) => {
      const theirs = parentsAt(paths)
      const inOurs = [...paths.values()].some((path) => path.endsWith(`/${folder}/${name}`))
      return theirs === undefined || !inOurs ? null : versionOneGroup(mapParents(theirs, dirname), name)
    },
  }
}

const mapParents = (
  parents: VersionOneParents,
  change: (directory: string) => string,
): VersionOneParents => ({
  cpu: change(parents.cpu),
  cpuacct: change(parents.cpuacct),
  memory: change(parents.memory),
})

function openTwo(mounts: CgroupMounts, own: ReadonlyMap<string, string>, folder: string): Opened | undefined {
  const { two } = mounts
  if (two === null) return undefined
  const bases = new Set([groupDirectory(two, own.get('') ?? '/'), two])
  const base = [...bases].find((candidate) =>
    works(() => {
      prepareVersionTwo(candidate, join(candidate, folder))
      createVersionTwoGroup(join(candidate, folder), 'trial', { memoryMiB: null, cpus: null }).remove()
    }),
  )
  if (base === undefined) return undefined
  return {
    create: (name, limits) => {
      prepareVersionTwo(base, join(base, folder))
      return createVersionTwoGroup(join(base, folder), name, limits)
    },
    find: (paths, name) => {
      const path = paths.get('') ?? ''
      return path.endsWith(`/${folder}/${name}`) ? versionTwoGroup(dirname(join(two, path)), name) : null
    },
  }
}

function works(attempt: () => void): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}

function membershipOf(files: CgroupFiles, pid: number): ReadonlyMap<string, string> {
  try {
    return parseMembership(files.membership(pid))
  } catch {
    return new Map()
  }
}
