import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SupervisorStatus } from '../../contracts/supervisor.ts'
import type { Clock } from '../../kernel/std/index.ts'
import { measureDirectory } from '../../providers/volume-directories/index.ts'
import { machineCgroups } from './cgroup/index.ts'
import { openDoor, type Door, type DoorOperations } from './door.ts'
import { endLeftovers } from './leftovers.ts'
import { HANDED_OVER, markHandOver, passOn, unmarkHandOver, type HandOver } from './hand-over.ts'
import { acquireLock } from './lock.ts'
import { createEnder } from './machine/end-family.ts'
import { machineProcesses } from './machine/process-table.ts'
import { dataLayout, environmentHash, processLog, socketPath, type DataLayout } from './paths.ts'
import type { PlannedProcess, SupervisorPlan } from './plan.ts'
import { Keeper } from './processes/keeper.ts'
import { writeProcessRecords } from './processes/process-file.ts'
import { openEventLog, type EventLog } from './records/event-log.ts'
import { startLogRotation } from './records/log-rotation.ts'
import { defaultRotation } from './records/rotate.ts'
import { Crew } from './replicas/crew.ts'
import { createReplicaHost } from './replicas/replica-host.ts'
import { createSampler, type Sampler } from './sampler.ts'
import { writeSupervisorFile } from './supervisor-file.ts'
import { openUsers, type Users, type UsersParts } from './users/index.ts'

/** A running supervisor. */
export interface Supervisor {
  /**
   * Stops control and edge, then (unless told otherwise) replicas. Resolves when it is done; a second call joins the
   * first. The lock is kept until the process ends, for until then its listening sockets are open too.
   */
  stop(replicas: boolean): Promise<void>
  /** Resolves when it has stopped, whoever asked for it: to the exit code, which is `HANDED_OVER` after a hand-over. */
  readonly stopped: Promise<number>
}

const SAMPLE_MS = 2000
const EVENTS_AT_ONCE = 500
/** Whom we take over from lets control and edge drain first. */
const TAKE_OVER_WAIT_MS = 30_000

/**
 * Takes the lock, ends what control and edge an earlier supervisor left, adopts its replicas, starts control and edge
 * and opens the door. Errors: `supervisor.already-running`, `supervisor.data-unwritable`.
 */
export async function startSupervisor(plan: SupervisorPlan, clock: Clock): Promise<Supervisor> {
  const layout = dataLayout(plan.dataDirectory)
  const lock = await acquireLock(layout, plan.because === undefined ? undefined : TAKE_OVER_WAIT_MS)
  // Keeps the lock from being collected as garbage, which would release it. The kernel does that when the process has
  // ended, after it has closed the listening sockets, so that whoever waits for the lock finds the ports free.
  process.once('exit', () => void lock)
  try {
    return await openHouse(plan, clock, { layout, release: () => lock.release() })
  } catch (error) {
    lock.release()
    throw error
  }
}

interface Place {
  readonly layout: DataLayout
  /** Lets another supervisor have the data directory. */
  readonly release: () => void
}

async function openHouse(plan: SupervisorPlan, clock: Clock, place: Place): Promise<Supervisor> {
  const { layout } = place
  const startedAt = clock.now()
  await endLeftovers(layout.data, clock)
  const table = machineProcesses()
  const environment = environmentHash(layout.data)
  const users = await openUsers({ layout, environment, plan, table })
  const rooms = furnish({ plan, clock, layout, table, environment, users })
  const stopped = Promise.withResolvers<number>()
  const end = endOnce(rooms, stopped.resolve)
  const stop = (replicas: boolean): Promise<void> => end(() => stopHouse(rooms, replicas))
  const handOver = (next: HandOver): Promise<void> => end(() => leaveHouse(rooms, next, { ...place, plan }))
  const operations = operationsOf(rooms, { plan, data: layout.data, startedAt, stop, handOver })
  const socket = socketPath(layout)
  rooms.door = await openDoor(socket, operations)
  writeSupervisorFile(layout, { pid: process.pid, startedAt, socket, version: plan.version })
  unmarkHandOver(layout)
  rooms.events.record({
    what: 'supervisor-started',
    subject: 'supervisor',
    pid: process.pid,
    detail: plan.because ?? null,
  })
  await rooms.crew.open()
  for (const keeper of rooms.keepers) keeper.start()
  const endSamples = clock.every(SAMPLE_MS, () => {
    rooms.sampler.sample()
    rooms.saveAgain()
  })
  const endRotation = rooms.rotateLogs()
  rooms.endTicks = () => {
    endSamples()
    endRotation()
  }
  rooms.sampler.lookSoon()
  return { stop, stopped: stopped.promise }
}

interface Rooms {
  readonly events: EventLog
  readonly crew: Crew
  readonly keepers: readonly Keeper[]
  readonly sampler: Sampler
  readonly notes: () => string[]
  /** Keeps logs within their bound until the returned function is called. */
  readonly rotateLogs: () => () => void
  /** Writes what could not be written before. */
  readonly saveAgain: () => void
  door: Door | null
  endTicks: () => void
}

interface Furniture extends UsersParts {
  readonly clock: Clock
  readonly users: Users
}

function furnish({ plan, clock, layout, table, environment, users }: Furniture): Rooms {
  const ender = createEnder(clock, table)
  const cgroups = machineCgroups(`holdfast-${environment}`)
  const events = openEventLog(layout.eventsFile, clock)
  const record = events.record.bind(events)
  const host = createReplicaHost({ clock, table, cgroups, ender, layout, environment, users })
  const crew = new Crew({
    clock,
    table,
    host,
    layout,
    environment,
    record,
    started: () => sampler.lookSoon(),
  })
  const troubles = new Map<string, string>()
  const saveProcesses = (): void =>
    attempt(troubles, layout.processesFile, () => {
      const records = keepers.map((keeper) => keeper.runRecord())
      writeProcessRecords(
        layout.processesFile,
        records.filter((item) => item !== null),
      )
    })
  const common = { clock, table, ender, node: plan.node, directory: process.cwd(), environment, record }
  const variables = { ...inheritedVariables(), HOLDFAST_DATA: layout.data }
  const keep = (planned: PlannedProcess): Keeper => {
    const logFile = processLog(layout, planned.name)
    const user = users.ofProcess(planned.name)
    return new Keeper(planned, { ...common, variables, logFile, user, changed: saveProcesses })
  }
  const keepers: readonly Keeper[] = plan.processes.map(keep)
  const sampler: Sampler = createSampler({ clock, table, crew, keepers })
  const machineNotes = [cgroups.note, process.platform === 'linux' ? null : NOT_LINUX]
  const notes = (): string[] =>
    [...machineNotes, events.note(), ...troubles.values(), ...crew.notes()].filter((note) => note !== null)
  const rotateLogs = (): (() => void) =>
    startLogRotation({
      clock,
      directory: layout.logs,
      rule: defaultRotation,
      attempt: (path, work) => attempt(troubles, path, work),
    })
  const saveAgain = (): void => {
    if (troubles.has(layout.processesFile)) saveProcesses()
    crew.saveAgain()
  }
  return {
    events,
    crew,
    keepers,
    sampler,
    notes,
    rotateLogs,
    saveAgain,
    door: null,
    endTicks: () => undefined,
  }
}

const NOT_LINUX =
  'this system has no /proc: listeners beyond loopback are not noticed, and replicas are found again only by pid and start time'

/** What a chore that must not stop the supervisor complains of, until it succeeds. */
function attempt(troubles: Map<string, string>, path: string, work: () => void): void {
  try {
    work()
    troubles.delete(path)
  } catch (error) {
    troubles.set(path, `${path} cannot be written: ${(error as Error).message}`)
  }
}

function inheritedVariables(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return Object.fromEntries(entries)
}

function operationsOf(
  rooms: Rooms,
  about: {
    plan: SupervisorPlan
    data: string
    startedAt: number
    stop: (replicas: boolean) => Promise<void>
    handOver: (next: HandOver) => Promise<void>
  },
): DoorOperations {
  const { crew, events, keepers } = rooms
  const status = (): SupervisorStatus => ({
    pid: process.pid,
    version: about.plan.version,
    startedAt: about.startedAt,
    processes: keepers.map((keeper) => keeper.status()),
    replicas: crew.statuses(),
    notes: rooms.notes(),
  })
  return {
    status,
    tampering: () => crew.tampering(),
    put: (desired) => crew.put(desired),
    restart: (id) => crew.restart(id),
    discard: (place) => rm(join(about.data, place), { recursive: true, force: true }),
    measure: (place) => measureDirectory(join(about.data, place)),
    events: async (after, waitMs, signal) => {
      const ready = events.after(after, EVENTS_AT_ONCE)
      if (ready.length > 0 || waitMs === 0) return ready
      await events.changed(waitMs, signal)
      return events.after(after, EVENTS_AT_ONCE)
    },
    stop: (replicas) => void about.stop(replicas),
    handOver: (next) => void about.handOver(next),
  }
}

/** Whatever is asked first counts; whoever asks later waits for its end. */
function endOnce(
  rooms: Rooms,
  done: (exitCode: number) => void,
): (end: () => Promise<number>) => Promise<void> {
  let ending: Promise<void> | null = null
  const carryOut = async (end: () => Promise<number>): Promise<void> => done(await end())
  return (end) => (ending ??= carryOut(end))
}

async function stopHouse(rooms: Rooms, replicas: boolean): Promise<number> {
  // Said first: control, while it lives, puts it on the timeline; else the next one does.
  if (replicas) rooms.events.record({ what: 'supervisor-stopping', subject: 'supervisor', pid: process.pid })
  await Promise.all(rooms.keepers.map((keeper) => keeper.stop()))
  if (replicas) await rooms.crew.stop()
  await closeHouse(rooms)
  return 0
}

async function leaveHouse(
  rooms: Rooms,
  next: HandOver,
  { layout, release, plan }: Place & { readonly plan: SupervisorPlan },
): Promise<number> {
  markHandOver(layout)
  const letGo = async (): Promise<void> => {
    await Promise.all(rooms.keepers.map((keeper) => keeper.stop()))
    rooms.crew.leave()
    await closeHouse(rooms)
  }
  await passOn(next, { own: plan, layout, letGo, release })
  unmarkHandOver(layout)
  return HANDED_OVER
}

async function closeHouse(rooms: Rooms): Promise<void> {
  rooms.endTicks()
  rooms.sampler.stop()
  await rooms.events.close()
  rooms.door?.close()
}
