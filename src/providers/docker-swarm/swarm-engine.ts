import type {
  Engine,
  EventMark,
  Group,
  ImageStore,
  LogReader,
  VolumeStore,
} from '../../capabilities/environment/ports.ts'
import type { SupervisorEvent, SupervisorStatus } from '../../contracts/supervisor.ts'
import type { Clock } from '../../kernel/std/index.ts'
import { dockerDoor } from './docker/docker-door.ts'
import { eventsSince } from './decide/events.ts'
import { failuresOf } from './failures.ts'
import { findImage } from './images/find-image.ts'
import { forgetImages } from './images/prune-images.ts'
import { imagesOf } from './images/images.ts'
import { logNameOf } from './decide/tasks.ts'
import { lastLinesFrom, type LastLines } from './last-lines.ts'
import { swarmLogs } from './logs.ts'
import { looksAt, type Look, type Sight } from './docker/look.ts'
import { replicasOf } from './decide/replicas.ts'
import { restartReplica } from './restart.ts'
import { runGroups } from './run-groups.ts'
import type { Owner } from './ownership.ts'
import { swarmFiles } from './swarm-files.ts'
import { swarmVolumes } from './volumes.ts'
import { taskOfEvent } from './decide/tasks.ts'

/** What the engine works with. */
export interface SwarmEngineParts {
  /** Name of the environment; what bears another is never touched. */
  readonly environment: string
  /** Id of the data directory: what another looks after is not changed. Asked for at the first change. */
  readonly owner: () => Promise<string>
  /** Path of the socket of a manager's daemon. */
  readonly socketPath: string
  /** Keeps control and edge, and what still runs on the local engine. */
  readonly supervisor: Engine
  /** Reads the logs of what runs there. */
  readonly files: LogReader
  readonly clock: Clock
}

/** The engine, and the logs, volumes and images of what it runs. */
export interface SwarmEngine extends Engine {
  readonly logs: LogReader
  readonly volumes: VolumeStore
  readonly images: ImageStore
}

const eventPauseMs = 1000
const crashes: ReadonlySet<SupervisorEvent['what']> = new Set([
  'replica-crashed',
  'replica-crash-looped',
  'replica-ended',
])

/** The groups that still run on the supervisor: they can only get smaller. */
function localGroups(groups: readonly Group[], { replicas }: SupervisorStatus): readonly Group[] {
  const there = new Set(replicas.map(({ service, specHash }) => `${service} ${specHash}`))
  return groups.filter(({ service, hash }) => there.has(`${service} ${hash}`))
}

/** What events of tasks are told from. */
interface EventGround {
  readonly look: Look
  readonly lastLines: LastLines
  readonly ended: ReadonlySet<string>
  readonly clock: Clock
}

/** Waits for what happens to tasks. Of a daemon that is away nothing is told; `status` says so. */
function taskEventsOf({ look, lastLines, ended, clock }: EventGround) {
  const withLines = async (event: SupervisorEvent): Promise<SupervisorEvent> => {
    if (!crashes.has(event.what) || event.task === undefined) return event
    return { ...event, lastLines: await lastLines.of(logNameOf(taskOfEvent(event.task))) }
  }
  return async ({ cluster: mark }: EventMark, signal: AbortSignal): Promise<readonly SupervisorEvent[]> => {
    for (;;) {
      signal.throwIfAborted()
      const sight = await look().catch(() => null)
      const events = sight === null ? [] : eventsSince({ ...sight, mark, ours: ended, now: clock.now() })
      if (events.length > 0) return Promise.all(events.map(withLines))
      await clock.sleep(eventPauseMs, signal)
    }
  }
}

/**
 * The engine on Docker Swarm: a group is a Swarm service, a replica a slot of it. Control and edge stay with the
 * supervisor; replicas that it still runs are told as well and may go on, so that an environment moves without a gap.
 * Opens nothing until it is asked.
 */
export function swarmEngine(parts: SwarmEngineParts): SwarmEngine {
  const { environment, supervisor, clock, owner } = parts
  const door = dockerDoor(parts.socketPath)
  const look = looksAt(door, parts)
  const images = imagesOf(door, environment)
  const files = swarmFiles(door, environment)
  const failures = failuresOf(clock)
  const whose = async (): Promise<Owner> => ({ environment, id: await owner() })
  const logs = swarmLogs(door, parts.files)
  const lastLines = lastLinesFrom(logs)
  /** Tasks that were ended by `restart`. */
  const ended = new Set<string>()

  const join = async (base: SupervisorStatus, sight: Sight): Promise<SupervisorStatus> => ({
    ...base,
    replicas: [...base.replicas, ...(await lastLines.putTo(replicasOf(sight))), ...failures.replicas()],
    notes: [...base.notes, ...images.notes()],
  })
  const status = async (): Promise<SupervisorStatus> => {
    const [base, sight] = await Promise.all([supervisor.status(), look()])
    return join(base, sight)
  }

  const taskEvents = taskEventsOf({ look, lastLines, ended, clock })

  return {
    runs: 'images',
    choosesReplica: false,
    logs,
    volumes: swarmVolumes({ door, look, environment }, whose),
    images: {
      find: (name) => findImage(door, name),
      forget: (directory) => forgetImages(door, environment, directory),
    },
    status,
    run: async (groups) => {
      const base = await supervisor.status()
      const local = localGroups(groups, base)
      if (base.replicas.length > 0) await supervisor.run(local)
      await runGroups(
        { door, environment, owner, images, files, failures, look },
        groups.filter((group) => !local.includes(group)),
      )
      return status()
    },
    restart: async (id) => {
      if (failures.forget(id)) return
      const base = await supervisor.status()
      if (base.replicas.some((replica) => replica.id === id)) return supervisor.restart(id)
      await restartReplica({ door, look, clock, ended, owner: whose }, id)
    },
    events: async (after, signal) => {
      const over = new AbortController()
      const both = AbortSignal.any([signal, over.signal])
      try {
        return await Promise.race([supervisor.events(after, both), taskEvents(after, both)])
      } finally {
        over.abort()
      }
    },
  }
}
