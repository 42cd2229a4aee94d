import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Whom a process runs as. */
export interface ProcessUser {
  readonly uid: number
  readonly gid: number
  /** Further groups. */
  readonly groups: readonly number[]
}

const usualPlaces = ['/usr/bin', '/bin']

/** Absolute path of `setpriv` (util-linux); undefined when this machine has none. */
export function findSetpriv(): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...usualPlaces]
  return places.map((place) => join(place, 'setpriv')).find((file) => existsSync(file))
}

/**
 * A command so that it runs as another user and can never become more than that: no other groups, no new privileges
 * (PR_SET_NO_NEW_PRIVS, see prctl(2)). The pid stays the same. Null: the command as it is.
 */
export function asUser(user: ProcessUser | null, command: readonly string[]): readonly string[] {
  if (user === null) return command
  const groups = user.groups.length === 0 ? ['--clear-groups'] : ['--groups', user.groups.join(',')]
  const ids = ['--reuid', String(user.uid), '--regid', String(user.gid)]
  return [findSetpriv() ?? 'setpriv', ...ids, ...groups, '--no-new-privs', '--', ...command]
}
