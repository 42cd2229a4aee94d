import type { ReplicaSpec } from '../../../contracts/supervisor.ts'
import type { Clock } from '../../../kernel/std/index.ts'
import type { Cgroups, Group } from '../cgroup/index.ts'
import type { Ender, EndableFamily } from '../machine/end-family.ts'
import type { ProcessUser } from '../machine/as-user.ts'
import { launch, type Exit } from '../machine/launch.ts'
import { isAlive } from '../machine/members.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import { replicaLog, type DataLayout } from '../paths.ts'
import { RELEASE_VARIABLE, REPLICA_MARK, sayMark, type Accepted } from './accepted.ts'
import type { LeftReplicas } from './find-left.ts'
import { placeFiles } from './place-files.ts'
import type { RunRecord } from './run-file.ts'
import type { Users } from '../users/index.ts'

/** A replica's process. */
export interface RunningReplica {
  readonly pid: number
  readonly birth: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Monotonic. */
  readonly startedAtMs: number
  readonly port: number | null
  readonly specHash: string
  readonly adopted: boolean
  /** What its environment says of its release; null: not known. */
  readonly marked: string | null
  /** Resolves when it ends; never rejects. */
  readonly exited: Promise<Exit>
  /** Where its output begins in the log file. */
  readonly logOffset: number
  readonly group: Group | null
  /** Kills for want of memory in its group before it began. */
  readonly earlierKills: number
  readonly family: EndableFamily
}

/** Starts and finds processes of replicas. */
export interface ReplicaHost {
  /** Starts a process. Rejects with the system's error. */
  start(accepted: Accepted, port: number | null): Promise<RunningReplica>
  /** Takes over a living process. */
  adopt(record: RunRecord): RunningReplica
  /** Ends it with all that it started, see `Ender.end`, and tells how it ended. Without a signal, by SIGTERM. */
  end(running: RunningReplica, timeoutMs: number, signal?: NodeJS.Signals): Promise<Exit>
  /** Kills what a dead one left behind and removes its group. */
  sweep(running: RunningReplica): Promise<void>
  /** Kills processes whose replica is gone and waits until they are: they may hold its port. */
  killOrphans(orphans: LeftReplicas['orphans']): Promise<void>
  /** Limits that could not be set, in words. */
  notes(): readonly string[]
}

/** What a host works with. */
export interface ReplicaHostParts {
  readonly clock: Clock
  readonly table: ProcessTable
  readonly cgroups: Cgroups
  readonly ender: Ender
  readonly layout: DataLayout
  readonly users: Users
  /** See `environmentHash`. */
  readonly environment: string
}

const ADOPTED_POLL_MS = 200
/** Of a process that the kernel does not let go of we do not wait for the exit for ever. */
const EXIT_WAIT_MS = 2000
const REMOVE_ROUNDS = 20
const REMOVE_POLL_MS = 25

/** Creates a host over this machine. */
export function createReplicaHost(parts: ReplicaHostParts): ReplicaHost {
  const notes = new Map<string, string>()
  return {
    start: async (accepted, port) => {
      const group = openGroup(accepted.spec, parts.cgroups, notes)
      try {
        return await startIn(group, { accepted, port }, parts)
      } catch (error) {
        group?.remove()
        throw error
      }
    },
    adopt: (record) => adopt(record, parts),
    end: async (running, timeoutMs, signal) => {
      await parts.ender.end(running.family, timeoutMs, signal)
      const unknown = parts.clock.sleep(EXIT_WAIT_MS).then((): Exit => ({ code: null, signal: null }))
      const exit = await Promise.race([running.exited, unknown])
      await removeGroup(running.group, parts.clock)
      return exit
    },
    sweep: async (running) => {
      await parts.ender.kill(running.family)
      await removeGroup(running.group, parts.clock)
    },
    killOrphans: async (orphans) => {
      const kill = ({ pid, birth, mark }: (typeof orphans)[number]): Promise<void> =>
        parts.ender.kill({ pid, birth, mark: { name: REPLICA_MARK, value: mark }, groupPids: () => [] })
      await Promise.all(orphans.map(kill))
    },
    notes: () => [...notes.values(), ...parts.users.notes()],
  }
}

/** What was killed stays in its group until its parent (often process 1) has asked for its exit. */
async function removeGroup(group: Group | null, clock: Clock): Promise<void> {
  for (let round = 0; round < REMOVE_ROUNDS; round++) {
    if (group === null || group.remove()) return
    await clock.sleep(REMOVE_POLL_MS)
  }
}

function openGroup(spec: ReplicaSpec, cgroups: Cgroups, notes: Map<string, string>): Group | null {
  try {
    const group = cgroups.create(groupName(spec.id), spec)
    notes.delete(spec.id)
    return group
  } catch (error) {
    notes.set(spec.id, `${spec.id} runs without CPU and memory limits: ${(error as Error).message}`)
    return null
  }
}

async function startIn(
  group: Group | null,
  what: { readonly accepted: Accepted; readonly port: number | null },
  parts: ReplicaHostParts,
): Promise<RunningReplica> {
  const { clock, environment, layout, table, users } = parts
  const { spec, specHash } = what.accepted
  const mark = sayMark({ environment, id: spec.id, specHash })
  const earlierKills = group?.outOfMemoryKills() ?? 0
  const startedAtMs = clock.monotonicMs()
  const hand = (whose: ProcessUser | null) => placeFiles(layout.files, spec, whose)
  const user = await users.ofReplica(spec, (whose) => Object.values(hand(whose)))
  const files = hand(user)
  const launched = await launch(
    {
      command: spec.command,
      directory: spec.directory,
      variables: {
        ...files,
        ...replicaVariables(spec, what.port, mark),
        ...(user === null ? {} : ownHome(spec)),
      },
      descriptors: [],
      logFile: replicaLog(layout, spec.id),
      joinFiles: group?.joinFiles ?? [],
      user,
    },
    table,
  )
  const startedAt = clock.now()
  const family = familyOf(launched, mark, group)
  return {
    ...launched,
    startedAt,
    startedAtMs,
    port: what.port,
    specHash,
    adopted: false,
    marked: spec.release,
    group,
    earlierKills,
    family,
  }
}

function adopt(record: RunRecord, parts: ReplicaHostParts): RunningReplica {
  const { clock, cgroups, environment } = parts
  const { id, specHash, pid, birth, startedAt, port } = record
  const group = cgroups.find(pid, groupName(id))
  return {
    pid,
    birth,
    startedAt,
    startedAtMs: clock.monotonicMs() - Math.max(0, clock.now() - startedAt),
    port,
    specHash,
    adopted: true,
    marked: parts.table.variable(pid, RELEASE_VARIABLE) ?? null,
    exited: pollExit(record, parts),
    logOffset: 0,
    group,
    earlierKills: group?.outOfMemoryKills() ?? 0,
    family: familyOf(record, sayMark({ environment, id, specHash }), group),
  }
}

/** A group holds everyone already; to look for marks is to read every environment of the machine. */
function familyOf(
  leader: { readonly pid: number; readonly birth: string },
  mark: string,
  group: Group | null,
): EndableFamily {
  return {
    pid: leader.pid,
    birth: leader.birth,
    mark: group === null ? { name: REPLICA_MARK, value: mark } : null,
    groupPids: () => group?.pids() ?? [],
  }
}

/** A cgroup's name for a replica: a slash would make a directory of it. */
const groupName = (id: string): string => id.replace('/', '-')

function replicaVariables(
  spec: ReplicaSpec,
  port: number | null,
  mark: string,
): Readonly<Record<string, string>> {
  const listening = port === null ? {} : { PORT: String(port) }
  const labels = { [RELEASE_VARIABLE]: spec.release, [REPLICA_MARK]: mark }
  return { ...spec.variables, PWD: spec.directory, HOST: '127.0.0.1', ...listening, ...labels }
}

/** Root's home is closed to others: a program that looks into its own finds its directory. */
function ownHome({ service, directory, variables }: ReplicaSpec): Readonly<Record<string, string>> {
  const own = { HOME: directory, USER: service }
  const inherited = Object.entries(own).filter(
    ([name]) => name in variables && variables[name] === process.env[name],
  )
  return Object.fromEntries(inherited)
}

/** We are not the parent of an adopted process, so the system does not tell us when it ends. */
function pollExit(record: RunRecord, parts: ReplicaHostParts): Promise<Exit> {
  return new Promise((resolve) => {
    const stop = parts.clock.every(ADOPTED_POLL_MS, () => {
      if (isAlive(parts.table, record.pid, record.birth)) return
      stop()
      resolve({ code: null, signal: null })
    })
  })
}
