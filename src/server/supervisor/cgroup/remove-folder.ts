import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { machineFiles, type CgroupFiles } from './cgroups.ts'
import { removeGroups } from './group.ts'
import { groupDirectory, parseMembership, parseMounts } from './mounts.ts'

/** Where groups of ours may lie: below our own group in each hierarchy of version 1; for version 2 there or at the top. */
function placesOf(files: CgroupFiles): readonly string[] {
  const mounts = parseMounts(files.mounts())
  const own = parseMembership(files.membership('self'))
  const one = [...mounts.one].map(([controller, mount]) => groupDirectory(mount, own.get(controller) ?? '/'))
  const { two } = mounts
  return [...one, ...(two === null ? [] : [groupDirectory(two, own.get('') ?? '/'), two])]
}

/**
 * Removes the groups of a supervisor that is gone, `folder` being its directory; answers false while somebody (a zombie,
 * too) is in one of them. Where there are no groups there is nothing to remove.
 */
export function removeGroupFolder(folder: string, files: CgroupFiles = machineFiles): boolean {
  const places = attempt(() => placesOf(files)) ?? []
  return [...new Set(places)]
    .map((place) => join(place, folder))
    .filter((directory) => existsSync(directory))
    .map((directory) => {
      const groups = readdirSync(directory, { withFileTypes: true }).filter((each) => each.isDirectory())
      return removeGroups(groups.length === 0 ? [directory] : groups.map(({ name }) => join(directory, name)))
    })
    .every(Boolean)
}

function attempt<T>(look: () => T): T | null {
  try {
    return look()
  } catch {
    return null // no such files: no groups
  }
}
