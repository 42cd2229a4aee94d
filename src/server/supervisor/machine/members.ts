import type { ProcessEntry, ProcessTable } from './process-table.ts'

/** A process with everything that it started. */
export interface Family {
  readonly pid: number
  /** Birth of the leader; see `ProcessEntry`. */
  readonly birth: string
  /** Variable and value that every member inherited, or null. */
  readonly mark: { readonly name: string; readonly value: string } | null
  /** Who is in its cgroup; empty without one. */
  readonly groupPids: readonly number[]
}

/**
 * The living members of a family: its session and process group, its cgroup, and whoever carries its mark (a daemon
 * that left the session). A session whose leader's pid now belongs to a stranger is not ours.
 */
export function familyMembers(family: Family, table: ProcessTable): readonly ProcessEntry[] {
  const entries = table.list().filter((entry) => !entry.zombie && entry.pid !== process.pid)
  const inGroup = new Set(family.groupPids)
  const strange = entries.some((entry) => entry.pid === family.pid && entry.birth !== family.birth)
  return entries.filter(
    (entry) =>
      inGroup.has(entry.pid) ||
      (!strange && (entry.session === family.pid || entry.group === family.pid)) ||
      (family.mark !== null && table.variable(entry.pid, family.mark.name) === family.mark.value),
  )
}

/** Whether the very process still runs: same pid, same birth, not a zombie. */
export function isAlive(table: ProcessTable, pid: number, birth: string): boolean {
  const entry = table.read(pid)
  return entry !== undefined && !entry.zombie && entry.birth === birth
}
