import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where control groups are mounted. */
export interface CgroupMounts {
  /** Mount point of each version 1 controller. */
  readonly one: ReadonlyMap<string, string>
  /** Mount point of the unified hierarchy. */
  readonly two: string | null
}

/** Parses `/proc/mounts` (fstab(5)); spaces in mount points are not expected below /sys. */
export function parseMounts(text: string): CgroupMounts {
  const one = new Map<string, string>()
  let two: string | null = null
  for (const line of text.split('\n')) {
    const [, point = '', type, options = ''] = line.split(' ')
    if (type === 'cgroup2') two ??= point
    if (type !== 'cgroup') continue
    for (const name of options.split(','))
      if (['cpu', 'cpuacct', 'memory'].includes(name)) one.set(name, point)
  }
  return { one, two }
}

/** Parses `/proc/<pid>/cgroup` (cgroups(7)): path by controller, the unified hierarchy under the empty name. */
export function parseMembership(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line)
    for (const name of match?.[1]?.split(',') ?? []) paths.set(name, match?.[2] ?? '/')
  }
  return paths
}

/** Directory of a path within a mount; the mount itself when a container shows the host's path, which is not there. */
export function groupDirectory(mount: string, path: string): string {
  const directory = join(mount, path)
  return existsSync(directory) ? directory : mount
}
