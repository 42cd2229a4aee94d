import { readFileSync, statSync } from 'node:fs'
import { PROCESS_MARK } from '../processes/process-file.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import { REPLICA_MARK } from '../replicas/accepted.ts'
import { isOurs, type Owner } from './identity.ts'

/** Ids of our range that somebody else has: an account, a group, or another environment whose processes live. */
export function strangersIds(
  table: ProcessTable,
  environment: string,
  accounts: ReadonlyMap<string, Owner>,
): ReadonlySet<number> {
  const named = [...accounts.values()].flatMap(({ uid, gid }) => [uid, gid])
  return new Set([...named, ...groups(), ...livingIds(table, environment)].filter(isOurs))
}

function groups(): readonly number[] {
  const lines = readFileSync('/etc/group', 'utf8').split('\n')
  return lines.map((line) => Number(line.split(':')[2])).filter(Number.isInteger)
}

function livingIds(table: ProcessTable, environment: string): readonly number[] {
  const own = (pid: number): boolean =>
    [PROCESS_MARK, REPLICA_MARK].some(
      (mark) => table.variable(pid, mark)?.startsWith(`${environment}/`) === true,
    )
  const seen = table.list().flatMap(({ pid, zombie }) => {
    // What is dead does not tell its mark any more.
    if (zombie) return []
    const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid
    return uid !== undefined && isOurs(uid) ? [{ uid, own: own(pid) }] : []
  })
  const ours = new Set(seen.filter((each) => each.own).map(({ uid }) => uid))
  return seen.map(({ uid }) => uid).filter((uid) => !ours.has(uid))
}
