import type { Clock } from '../../kernel/std/index.ts'
import type { Group } from './cgroup/index.ts'
import { createExposureWatch, type ExposureWatch } from './machine/exposure.ts'
import type { ProcessEntry, ProcessTable } from './machine/process-table.ts'
import { cpuShare, type CpuReading } from './machine/usage.ts'
import type { Keeper } from './processes/keeper.ts'
import type { Crew } from './replicas/crew.ts'
import type { Replica, Usage } from './replicas/replica.ts'

/** What a sampler looks at. */
export interface SamplerParts {
  readonly clock: Clock
  readonly table: ProcessTable
  readonly crew: Crew
  readonly keepers: readonly Keeper[]
}

/** Measures what processes use and finds replicas that listen beyond loopback. */
export interface Sampler {
  /** Measures everyone and looks at listeners. */
  sample(): void
  /** Looks at listeners soon, three times: a replica was started. */
  lookSoon(): void
  stop(): void
}

/** After a start a program takes a moment to listen; looks at these times bound how long an exposed one is open. */
const SOON_MS = [200, 500, 1000] as const

/** Creates a sampler. */
export function createSampler(parts: SamplerParts): Sampler {
  const { clock, table, crew } = parts
  const watch = createExposureWatch()
  const stopped = new AbortController()
  const waiting = new Set<number>()
  let readings = new Map<string, CpuReading>()
  let lookedAt = ''

  const look = (): void => {
    const suspects = suspectsOf(crew)
    // What was cleared for some replicas was not for others.
    const key = [...suspects.values()].map((replica) => replica.current?.pid).join(' ')
    if (key !== lookedAt) watch.forget()
    lookedAt = key
    if (suspects.size > 0) lookAtListeners(watch, suspects, table)
  }

  const sample = (): void => {
    const families = familiesOf(table.list())
    const next = new Map<string, CpuReading>()
    const share = (pid: number, usedMs: CpuReading['usedMs']): number | null => {
      const reading = { atMs: clock.monotonicMs(), usedMs }
      next.set(`${pid}`, reading)
      return cpuShare(readings.get(`${pid}`), reading)
    }
    for (const { pid, group, measured } of subjectsOf(parts)) {
      const { usedMs, memoryBytes } = readUsage(families.get(pid) ?? [], group)
      measured({ cpu: share(pid, usedMs), memoryBytes })
    }
    readings = next
    look()
  }

  return {
    sample,
    lookSoon: () => {
      for (const delayMs of SOON_MS) {
        if (waiting.has(delayMs)) continue
        waiting.add(delayMs)
        void clock
          .sleep(delayMs, stopped.signal)
          .then(look, () => undefined)
          .finally(() => waiting.delete(delayMs))
      }
    },
    stop: () => stopped.abort(),
  }
}

function suspectsOf(crew: Crew): ReadonlyMap<string, Replica> {
  const suspects = new Map<string, Replica>()
  for (const replica of crew.replicas()) {
    if (replica.current !== null && !replica.mayExpose) suspects.set(replica.id, replica)
  }
  return suspects
}

function lookAtListeners(
  watch: ExposureWatch,
  suspects: ReadonlyMap<string, Replica>,
  table: ProcessTable,
): void {
  const pidsOf = (): ReadonlyMap<string, readonly number[]> => {
    const families = familiesOf(table.list())
    return new Map([...suspects].map(([id, replica]) => [id, pidsOfReplica(replica, families)]))
  }
  for (const [id, listener] of watch.look(pidsOf)) suspects.get(id)?.expose(listener)
}

function pidsOfReplica(replica: Replica, families: Families): readonly number[] {
  const { current } = replica
  if (current === null) return []
  const members = (families.get(current.pid) ?? []).map((entry) => entry.pid)
  return [...new Set([current.pid, ...members, ...(current.group?.pids() ?? [])])]
}

/** Processes by the session that they belong to; where sessions are not told, by process group. */
type Families = ReadonlyMap<number, readonly ProcessEntry[]>

function familiesOf(entries: readonly ProcessEntry[]): Families {
  const families = new Map<number, ProcessEntry[]>()
  for (const entry of entries) {
    if (entry.zombie) continue
    const key = entry.session === 0 ? entry.group : entry.session
    const family = families.get(key)
    if (family === undefined) families.set(key, [entry])
    else family.push(entry)
  }
  return families
}

const usedBy = (members: readonly ProcessEntry[]): ReadonlyMap<string, number> =>
  new Map(members.map((entry) => [`${entry.pid}@${entry.birth}`, entry.cpuMs]))

const memoryOf = (members: readonly ProcessEntry[]): number =>
  members.reduce((sum, entry) => sum + entry.residentBytes, 0)

interface Subject {
  readonly pid: number
  readonly group: Group | null
  readonly measured: (usage: Usage) => void
}

function subjectsOf({ keepers, crew }: SamplerParts): readonly Subject[] {
  const subjects: Subject[] = []
  for (const keeper of keepers) {
    if (keeper.current === null) continue
    subjects.push({ pid: keeper.current.pid, group: null, measured: (usage) => keeper.measured(usage) })
  }
  for (const replica of crew.replicas()) {
    if (replica.current === null) continue
    const { pid, group } = replica.current
    subjects.push({ pid, group, measured: (usage) => replica.measured(usage) })
  }
  return subjects
}

/** A group counts what has ended too; without one, the living are added up. */
function readUsage(
  members: readonly ProcessEntry[],
  group: Group | null,
): { readonly usedMs: ReadonlyMap<string, number>; readonly memoryBytes: number } {
  const groupMs = group?.cpuMs() ?? null
  return {
    usedMs: groupMs === null ? usedBy(members) : new Map([['group', groupMs]]),
    memoryBytes: group?.memoryBytes() ?? memoryOf(members),
  }
}
