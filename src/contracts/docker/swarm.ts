import { z } from 'zod'

/** Labels by which what is Holdfast's is known, on services, containers and images. */
export const labels = {
  environment: 'holdfast.environment',
  service: 'holdfast.service',
  group: 'holdfast.group',
  release: 'holdfast.release',
  owner: 'holdfast.owner',
  directory: 'holdfast.directory',
} as const

// What is read of Docker's answers, API 1.41: only what is used, by names of ours.

/** What Docker leaves out when it is empty. */
const orEmpty = <Schema extends z.ZodType>(schema: Schema) => z.record(z.string(), schema).nullish()

const moment = z.string().transform((text) => Date.parse(text))
const ours = orEmpty(z.string()).transform((found) => {
  const label = (name: string): string => found?.[name] ?? ''
  return {
    environment: label(labels.environment),
    service: label(labels.service),
    group: label(labels.group),
    release: label(labels.release),
    owner: label(labels.owner),
  }
})

/** `GET /version`, the same whatever the version. */
export const versionShape = z.object({ ApiVersion: z.string(), MinAPIVersion: z.string().default('1.12') })

/** Versions of the API that a daemon speaks. */
export type DockerVersion = z.output<typeof versionShape>

/** `GET /info`, the registry that is asked when a name has no host. */
export const indexShape = z
  .object({ IndexServerAddress: z.string().default('') })
  .transform(({ IndexServerAddress }) => IndexServerAddress)

/** `GET /info`, what it says of the swarm. */
export const infoShape = z
  .object({
    ID: z.string().default(''),
    Swarm: z.object({
      NodeID: z.string(),
      NodeAddr: z.string(),
      LocalNodeState: z.string(),
      ControlAvailable: z.boolean(),
      Cluster: z.object({ ID: z.string() }).nullish(),
    }),
  })
  .transform(({ ID, Swarm: swarm }) => ({
    /** The daemon, whatever swarm it is in. */
    daemon: ID,
    node: swarm.NodeID,
    address: swarm.NodeAddr,
    isManager: swarm.LocalNodeState === 'active' && swarm.ControlAvailable,
    cluster: swarm.Cluster?.ID ?? '',
  }))

/** This daemon's place in its swarm. */
export type Place = z.output<typeof infoShape>

/** `GET /nodes`. */
export const nodesShape = z.array(
  z
    .object({
      ID: z.string(),
      Description: z.object({ Hostname: z.string() }),
      Status: z.object({ State: z.string(), Addr: z.string().default('') }),
      ManagerStatus: z.object({ Addr: z.string() }).nullish(),
    })
    .transform(({ ID, Description, Status, ManagerStatus }) => ({
      id: ID,
      name: Description.Hostname,
      isDown: Status.State === 'down',
      /** A manager knows itself as 0.0.0.0. */
      address: ['', '0.0.0.0'].includes(Status.Addr)
        ? (ManagerStatus?.Addr ?? '').replace(/:\d+$/, '')
        : Status.Addr,
    })),
)

/** A node of the swarm. */
export type SwarmNode = z.output<typeof nodesShape>[number]

const referencesShape = z.object({
  Image: z.string().nullish(),
  Configs: z.array(z.object({ ConfigID: z.string() })).nullish(),
  Secrets: z.array(z.object({ SecretID: z.string() })).nullish(),
})

function idsOf({ Configs, Secrets }: z.output<typeof referencesShape>): readonly string[] {
  return [
    ...(Configs ?? []).map(({ ConfigID }) => ConfigID),
    ...(Secrets ?? []).map(({ SecretID }) => SecretID),
  ]
}

/** `GET /configs` and `GET /secrets`. */
export const filesShape = z.array(
  z
    .object({ ID: z.string(), Spec: z.object({ Name: z.string(), Labels: ours }) })
    .transform(({ ID, Spec }) => ({ id: ID, name: Spec.Name, environment: Spec.Labels.environment })),
)

/** What is answered when something was made: its id, which dockerode puts elsewhere. */
export const createdShape = z.object({ id: z.string() }).transform(({ id }) => id)

/** `GET /volumes`: those of the machine that is asked. */
export const volumesShape = z
  .object({ Volumes: z.array(z.object({ Name: z.string(), CreatedAt: z.string().nullish() })).nullish() })
  .transform(({ Volumes: volumes }) =>
    (volumes ?? []).map(({ Name: name, CreatedAt: made }) => {
      const since = Date.parse(made ?? '')
      return { name, since: Number.isNaN(since) ? null : since }
    }),
  )

/** `GET /services`; the specification whole, for an update has to send it back. */
export const groupsShape = z.array(
  z
    .object({
      ID: z.string(),
      Version: z.object({ Index: z.number() }),
      Spec: z.looseObject({
        Name: z.string(),
        Labels: ours,
        Mode: z.looseObject({
          Replicated: z.looseObject({ Replicas: z.number().nullish() }).nullish(),
        }),
        TaskTemplate: z.object({ ContainerSpec: referencesShape.nullish() }).nullish(),
      }),
    })
    .transform(({ ID, Version, Spec }) => ({
      id: ID,
      index: Version.Index,
      name: Spec.Name,
      ...Spec.Labels,
      replicas: Spec.Mode.Replicated?.Replicas ?? 0,
      image: Spec.TaskTemplate?.ContainerSpec?.Image ?? '',
      /** Ids of the configs and secrets that it uses. */
      files: idsOf(Spec.TaskTemplate?.ContainerSpec ?? {}),
    })),
)

/** A service of Swarm: one of our groups. */
export type SwarmGroup = z.output<typeof groupsShape>[number]

/** `GET /services/{id}`, as it goes back in an update. */
export const wholeGroupShape = z.object({
  Version: z.object({ Index: z.number() }),
  Spec: z.looseObject({
    Labels: z.record(z.string(), z.string()).nullish(),
    Mode: z.looseObject({}),
    TaskTemplate: z.looseObject({ ForceUpdate: z.number().nullish() }),
  }),
  UpdateStatus: z.object({ State: z.string() }).nullish(),
})

/** A service of Swarm as it goes back in an update. */
export type WholeGroup = z.output<typeof wholeGroupShape>

const taskShape = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.number() }),
  CreatedAt: moment,
  ServiceID: z.string(),
  Slot: z.number().default(0),
  NodeID: z.string().default(''),
  DesiredState: z.string(),
  Spec: z.object({
    ContainerSpec: z.object({ Labels: ours, StopGracePeriod: z.number().nullish() }).nullish(),
    RestartPolicy: z.object({ Condition: z.string().nullish() }).nullish(),
  }),
  Status: z.object({
    Timestamp: moment,
    State: z.string(),
    Err: z.string().default(''),
    ContainerStatus: z
      .object({
        ContainerID: z.string().default(''),
        PID: z.number().default(0),
        ExitCode: z.number().nullish(),
      })
      .nullish(),
    PortStatus: z.object({ Ports: z.array(z.object({ PublishedPort: z.number() })).nullish() }).nullish(),
  }),
})

type WireTask = z.output<typeof taskShape>

const noContainer = { ContainerID: '', PID: 0, ExitCode: null }
const noLabels = { environment: '', service: '', group: '', release: '', owner: '' }

/** What Swarm says of the container of a task, as far as there is one. */
function containerOf({ Status: { ContainerStatus, PortStatus } }: WireTask) {
  const { ContainerID: container, PID: pid, ExitCode: exitCode } = ContainerStatus ?? noContainer
  // The same port is said for IPv4 and IPv6.
  const port = PortStatus?.Ports?.[0]?.PublishedPort ?? null
  return { container, pid, exitCode: exitCode ?? null, port }
}

/** What we told of a task when it was made. */
function orderOf({ Spec: { ContainerSpec, RestartPolicy } }: WireTask) {
  return {
    stopTimeoutMs: (ContainerSpec?.StopGracePeriod ?? 0) / 1_000_000,
    restarts: RestartPolicy?.Condition !== 'none',
    ...(ContainerSpec?.Labels ?? noLabels),
  }
}

/** `GET /tasks`. */
export const tasksShape = z.array(
  taskShape.transform((task) => ({
    id: task.ID,
    /** Of the last change; changes that are made together share one. */
    index: task.Version.Index,
    createdAt: task.CreatedAt,
    swarmService: task.ServiceID,
    slot: task.Slot,
    node: task.NodeID,
    /** What Swarm wants of it: `running`, `ready` (it waits), `shutdown`, `remove`. */
    desired: task.DesiredState,
    state: task.Status.State,
    /** When it came into that state. */
    at: task.Status.Timestamp,
    error: task.Status.Err,
    ...containerOf(task),
    ...orderOf(task),
  })),
)

/** A task of Swarm: one life of a replica. */
export type Task = z.output<typeof tasksShape>[number]

/** `GET /images/{name}/json`. */
export const imageShape = z.object({
  Id: z.string(),
  Size: z.number().default(0),
  RepoDigests: z
    .array(z.string())
    .nullish()
    .transform((found) => found ?? []),
})

const specPorts = z.object({ Ports: z.array(z.object({ PublishedPort: z.number().default(0) })).nullish() })

/** `GET /services`, the ports that they have been given. */
export const takenPortsShape = z
  .array(z.object({ Spec: z.object({ EndpointSpec: specPorts.nullish() }) }))
  .transform((services) =>
    services.flatMap(({ Spec }) =>
      (Spec.EndpointSpec?.Ports ?? []).map(({ PublishedPort }) => PublishedPort),
    ),
  )

/** `GET /containers/json`. */
export const containersShape = z.array(z.object({ Id: z.string() }))

/** What bears a label, of whatever kind: services, configs and secrets have a specification, volumes only a name. */
export const labelledShape = z
  .array(
    z.object({
      ID: z.string().optional(),
      Id: z.string().optional(),
      Name: z.string().optional(),
      Spec: z.object({ Name: z.string() }).optional(),
    }),
  )
  .nullable()
  .transform((all) =>
    (all ?? []).map(({ ID, Id, Name, Spec }) => {
      const id = ID ?? Id ?? Name ?? ''
      return { id, name: Spec?.Name ?? Name ?? id }
    }),
  )

/** `GET /exec/{id}/json`. */
export const execShape = z.object({ ExitCode: z.number().nullish() })

const namesShape = z
  .array(z.string())
  .nullish()
  .transform((found) => (found ?? []).filter((name) => !name.includes('<none>')))

/** `GET /images/json`. */
export const imagesShape = z.array(
  z
    .object({ Id: z.string(), RepoTags: namesShape, RepoDigests: namesShape })
    .transform(({ Id, RepoTags, RepoDigests }) => ({ id: Id, names: RepoTags, digests: RepoDigests })),
)

/** An image that was made here. */
export type MadeImage = z.output<typeof imagesShape>[number]

/** `GET /distribution/{name}/json`. */
export const distributionShape = z.object({
  Descriptor: z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
})

/** What is said in the course of a build or a push, a line each. */
export const buildLineShape = z.object({
  stream: z.string().default(''),
  error: z.string().optional(),
  aux: z.object({ ID: z.string().optional(), Digest: z.string().optional() }).optional(),
})

/** A line of it. */
export type BuildLine = z.output<typeof buildLineShape>
