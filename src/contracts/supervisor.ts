import { z } from 'zod'
import { contentHash, lookUp } from '../kernel/std/index.ts'

const fileName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)

/** How the replicas of a group are run: all of it, so that equal specifications mean equal replicas. */
export const specification = z.strictObject({
  service: z.string(),
  /** Version of the service's files; empty: as they lie in its directory. */
  release: z.string().default(''),
  /** Program and arguments; no shell. Empty: what its image says. */
  command: z.array(z.string()),
  /** Absolute working directory; where an image is built, of what goes into it. */
  directory: z.string(),
  /** Image that it runs from; absent: a program of this machine, or `build`. */
  image: z.string().exactOptional(),
  /** How its image is made out of `directory`; absent: it is not. */
  build: z
    .strictObject({
      /** Path below the directory; absent: one is written for Node. */
      dockerfile: z.string().exactOptional(),
      /** Image that the one for Node starts from. */
      base: z.string(),
      /** Repository that it is pushed to, for nodes that did not make it; absent: it stays where it was made. */
      push: z.string().exactOptional(),
    })
    .exactOptional(),
  /** Volumes that the engine puts in its place, as { uploads: '/volumes/uploads' }; absent: it finds directories. */
  mounts: z.record(z.string(), z.string()).exactOptional(),
  /** Node of a cluster that it is bound to, by host name or id; absent: any, or that of what it uses. */
  node: z.string().exactOptional(),
  /** The whole environment of the process but for HOST, PORT and Holdfast's own mark. */
  variables: z.record(z.string(), z.string()),
  /**
   * Files that it is handed, by name: it finds the path of APP_CONFIG in APP_CONFIG_FILE. `content` is base64; what is
   * `secret` may be put where fewer see it. Absent: none.
   */
  files: z.record(fileName, z.strictObject({ content: z.string(), secret: z.boolean() })).exactOptional(),
  /** `fixed`: this port; `assigned`: any free one, kept for the life of the slot; null: it does not listen. */
  port: z.union([
    z.null(),
    z.strictObject({ fixed: z.number().int().min(1).max(65_535) }),
    z.strictObject({ assigned: z.literal(true) }),
  ]),
  /** False: it runs once, to an end, and is never started a second time. */
  restarts: z.boolean().default(true),
  /** From the signal that asks it to stop to SIGKILL, milliseconds. */
  stopTimeoutMs: z.number().int().min(0).max(600_000),
  /** The signal that asks it to stop; absent: SIGTERM. */
  stopSignal: z.exactOptional(z.enum(['SIGINT', 'SIGQUIT'])),
  /** May listen beyond loopback. */
  mayExpose: z.boolean(),
  memoryMiB: z.number().int().positive().nullable(),
  /** Cores, as 0.5 or 2. */
  cpus: z.number().positive().nullable(),
  /** With the supervisor as root: an account, or a name that services share a user by; absent: one of its own. */
  user: z.string().exactOptional(),
  /** Directories that are made and given to that user, relative to `directory`. */
  writes: z.array(z.string()).exactOptional(),
})

/** How the replicas of a group are run. */
export type Specification = z.infer<typeof specification>

const replicaId = z.string().regex(/^[a-z][a-z0-9-]*\/\d+$/)

/** How one replica is to be run. `id` is `<service>/<slot>`, slots count from 1. */
export const replicaSpec = specification.extend({ id: replicaId, command: z.array(z.string()).min(1) })

/** How one replica is to be run. */
export type ReplicaSpec = z.infer<typeof replicaSpec>

/**
 * `starting` has a process for less than a moment, `running`, `waiting` for its next restart (back-off),
 * `stopping`, `stopped`, `ended` (it ran once), `crash-looped` (left down), `exposed` (stopped because it listened
 * beyond loopback).
 */
export const replicaState = z.enum([
  'starting',
  'running',
  'waiting',
  'stopping',
  'stopped',
  'ended',
  'crash-looped',
  'exposed',
])

/** A replica as the supervisor sees it. */
export const replicaStatus = z.strictObject({
  id: z.string(),
  service: z.string(),
  state: replicaState,
  /** Nobody wishes it any more: it stops and will be gone. */
  leaving: z.boolean().default(false),
  /** Content hash of the specification that it runs with: the group that it belongs to. */
  specHash: z.string(),
  /** Version of the service's files; empty: as they lie in its directory; null: not known (adopted without a record). */
  release: z.string().nullable().default(null),
  pid: z.number().int().nullable(),
  /** Address of the machine that it runs on, as seen from here; 127.0.0.1: this one. */
  host: z.string().default('127.0.0.1'),
  /** Port at that address; null: it does not listen, or not yet. */
  port: z.number().int().nullable(),
  /** Why it is in this state, in words, where the state does not say it all. */
  detail: z.string().nullable().default(null),
  /** Milliseconds since the epoch. */
  startedAt: z.number().nullable(),
  /** Since the specification was accepted. */
  restarts: z.number().int(),
  /** Adopted from an earlier supervisor. */
  adopted: z.boolean(),
  lastExit: z
    .strictObject({
      code: z.number().int().nullable(),
      signal: z.string().nullable(),
      at: z.number(),
      /** What it wrote last, at most 20 lines. */
      lastLines: z.array(z.string()).default([]),
    })
    .nullable(),
  /** Share of one core over the last sample, 1 = a whole core; null before the second sample. */
  cpu: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  /** Absolute path of the current log file, or what the engine calls its log. */
  logFile: z.string(),
})

/** A replica as the supervisor sees it. */
export type ReplicaStatus = z.infer<typeof replicaStatus>

/** One of Holdfast's own processes. */
export const processStatus = z.strictObject({
  name: z.enum(['control', 'edge']),
  state: z.enum(['running', 'waiting', 'stopped']),
  pid: z.number().int().nullable(),
  startedAt: z.number().nullable(),
  restarts: z.number().int(),
  cpu: z.number().nullable(),
  memoryBytes: z.number().nullable(),
})

/** One of Holdfast's own processes. */
export type ProcessStatus = z.infer<typeof processStatus>

/** What the supervisor answers to `GET /status`. */
export const supervisorStatus = z.strictObject({
  pid: z.number().int(),
  version: z.string(),
  startedAt: z.number(),
  processes: z.array(processStatus),
  replicas: z.array(replicaStatus),
  /** What this machine does not permit, in words (`cgroups are not writable: no CPU and memory limits`). */
  notes: z.array(z.string()),
})

/** What the supervisor answers to `GET /status`. */
export type SupervisorStatus = z.infer<typeof supervisorStatus>

const bound = z.strictObject({ wished: z.number().nullable(), is: z.number().nullable() })

/** What the supervisor answers to `GET /tampering`: what somebody changed by hand about what runs. */
export const tampering = z.strictObject({
  /** Processes with this environment's mark that belong to no replica which runs. */
  strays: z.array(z.strictObject({ pid: z.number().int(), replica: z.string(), startedAt: z.number() })),
  /** Replicas whose process a signal has stopped (SIGSTOP): it is there and does nothing. */
  frozen: z.array(z.string()),
  /** Replicas whose bounds are not those of their specification; null: none. */
  limits: z.array(z.strictObject({ replica: z.string(), memoryMiB: bound, cpus: bound })),
})

/** What somebody changed by hand about what runs. */
export type Tampering = z.infer<typeof tampering>

/** Something that the supervisor saw; kept on disk until it is far behind the newest, so that a dead control misses none. */
export const supervisorEvent = z.strictObject({
  /** From 1, without gaps, continued over restarts of the supervisor; of a task: its index in the cluster. */
  number: z.number().int(),
  /** `<cluster>/<task>`; absent: the supervisor's own. */
  task: z.string().optional(),
  at: z.number(),
  what: z.enum([
    'supervisor-started',
    'supervisor-stopping',
    'process-started',
    'process-crashed',
    'replica-started',
    'replica-adopted',
    'replica-exited',
    'replica-ended',
    'replica-crashed',
    'replica-crash-looped',
    'replica-exposed',
    'replica-unstartable',
  ]),
  /** Replica id, or `control`, `edge`, `supervisor`. */
  subject: z.string(),
  pid: z.number().int().nullable(),
  port: z.number().int().nullable(),
  code: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** For a crash: when it will be started again; null: not. */
  restartInMs: z.number().nullable(),
  /** Why, in words, as `listens on 0.0.0.0:3000` or `no such program: nod`. */
  detail: z.string().nullable(),
  /** The last log lines, at most 20, for crashes. */
  lastLines: z.array(z.string()),
})

/** Something that the supervisor saw. */
export type SupervisorEvent = z.infer<typeof supervisorEvent>

/** What an event says of which there is nothing more to say. */
export const bareEvent: Omit<SupervisorEvent, 'number' | 'at' | 'what' | 'subject'> = {
  pid: null,
  port: null,
  code: null,
  signal: null,
  restartInMs: null,
  detail: null,
  lastLines: [],
}

/** `PUT /replicas`: the whole set of replicas that shall run; what is not named is stopped. */
export const desiredReplicas = z.strictObject({
  replicas: z.array(replicaSpec).max(1000),
  /** Ids of replicas that go on as they are, whatever their specification is. */
  keep: z.array(replicaId).max(1000).default([]),
  /** What is in the files that replicas are handed, each once: on its way `content` is a key of these. Absent: none. */
  contents: z.record(z.string(), z.base64()).exactOptional(),
})

/** The whole set of replicas that shall run, as one asks for it. */
export type WantedReplicas = z.input<typeof desiredReplicas>

/** The whole set of replicas that shall run. */
export type DesiredReplicas = z.infer<typeof desiredReplicas>

type Handed = Pick<ReplicaSpec, 'files'>
type Contents = Readonly<Record<string, string>>

function withContents<Spec extends Handed>(spec: Spec, change: (content: string) => string): Spec {
  if (spec.files === undefined) return spec
  const files = Object.entries(spec.files).map(
    ([name, file]) => [name, { ...file, content: change(file.content) }] as const,
  )
  return { ...spec, files: Object.fromEntries(files) }
}

/** Replicas of one group are handed the same files: what is in them goes on its way, and to the disk, once. */
export function packContents<Wanted extends WantedReplicas>(wanted: Wanted): Wanted {
  const contents: Record<string, string> = {}
  const pack = (content: string): string => {
    const key = contentHash(content)
    contents[key] = content
    return key
  }
  const replicas = wanted.replicas.map((spec) => withContents(spec as ReplicaSpec, pack))
  return Object.keys(contents).length === 0 ? wanted : { ...wanted, replicas, contents }
}

/** The other way round. */
export function unpackContents({ contents, ...desired }: DesiredReplicas): DesiredReplicas {
  if (contents === undefined) return desired
  const unpack = (all: Contents) => (key: string) => lookUp(all, key) ?? ''
  return { ...desired, replicas: desired.replicas.map((spec) => withContents(spec, unpack(contents))) }
}
