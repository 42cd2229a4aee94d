import type { Group } from '../../../capabilities/environment/ports.ts'
import type { Specification } from '../../../contracts/supervisor.ts'
import { fileReferences, fileVariables, type KnownFile } from './handed-files.ts'
import { labels } from '../../../contracts/docker/swarm.ts'

/** A group that can be started, in the words of Swarm. */
export interface ServiceGround {
  readonly environment: string
  /** Id of the data directory that looks after it. */
  readonly owner: string
  /** What the image is asked for by: a name, or the id of one that was made here. */
  readonly image: string
  /** What it is handed, as Docker knows it. */
  readonly files: readonly KnownFile[]
  /** Node that it is bound to; null: any. */
  readonly node: string | null
}

/** Where a program listens in its container, unless it insists on another. */
const containerPort = 3000
const longestName = 63
const nanosPerMs = 1_000_000
const nanosPerCore = 1_000_000_000
/** From the end of a replica to its next start. */
export const restartDelayMs = 2000
/** So many restarts within so long: it is left down. Swarm keeps five lives of a replica. */
const mostRestarts = 5
const restartWindowMs = 60_000

/** The first characters of a group's hash: enough to tell a service's groups apart. */
export const shortHash = (hash: string): string => hash.slice(0, 8)

/** Name of the Swarm service that is a group; the hash survives when the rest is too long. */
export function serviceNameOf(
  environment: string,
  { service, hash }: Pick<Group, 'service' | 'hash'>,
): string {
  const end = `_${shortHash(hash)}`
  return `${`${environment}_${service}`.slice(0, longestName - end.length)}${end}`
}

/** Name of the Docker volume that is a volume of an environment. */
export const volumeNameOf = (environment: string, volume: string): string => `${environment}_${volume}`

function portOf({ port }: Specification): number | null {
  if (port === null) return null
  return 'fixed' in port ? port.fixed : containerPort
}

function containerOf(
  specification: Specification,
  { environment, image, files }: ServiceGround,
  marks: Record<string, string>,
) {
  const { command, variables, mounts, stopTimeoutMs } = specification
  const port = portOf(specification)
  const given = port === null ? {} : { HOST: '0.0.0.0', PORT: String(port) }
  return {
    Image: image,
    ...(command.length === 0 ? {} : { Command: command }),
    Env: Object.entries({ ...fileVariables(files), ...variables, ...given }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    Labels: marks,
    ...fileReferences(files),
    Mounts: Object.entries(mounts ?? {}).map(([volume, path]) => ({
      Type: 'volume',
      Source: volumeNameOf(environment, volume),
      Target: path,
    })),
    // A program that is process 1 ignores SIGTERM unless it handles it.
    Init: true,
    StopGracePeriod: stopTimeoutMs * nanosPerMs,
  }
}

function restartPolicyOf({ restarts }: Specification) {
  if (!restarts) return { Condition: 'none' }
  return {
    Condition: 'any',
    Delay: restartDelayMs * nanosPerMs,
    MaxAttempts: mostRestarts,
    Window: restartWindowMs * nanosPerMs,
  }
}

function limitsOf({ memoryMiB, cpus }: Specification) {
  return {
    ...(memoryMiB === null ? {} : { MemoryBytes: memoryMiB * 2 ** 20 }),
    ...(cpus === null ? {} : { NanoCPUs: Math.round(cpus * nanosPerCore) }),
  }
}

/** One replica after the other, and no further when one fails: for restarts, and for who updates it by hand. */
const updateConfig = {
  Parallelism: 1,
  Order: 'stop-first',
  FailureAction: 'pause',
  Monitor: 5000 * nanosPerMs,
  MaxFailureRatio: 0,
}

/**
 * A group as the body of `POST /services/create`, API 1.41: as many tasks as it has replicas, each with a port of its own
 * on its node (host mode: neither the mesh nor virtual addresses, which need IPVS in the kernel).
 */
export function serviceSpecOf(group: Group, specification: Specification, ground: ServiceGround) {
  const { service, hash } = group
  const { environment, owner, node } = ground
  const marks = {
    [labels.environment]: environment,
    [labels.service]: service,
    [labels.group]: hash,
    [labels.release]: specification.release,
  }
  const port = portOf(specification)
  return {
    Name: serviceNameOf(environment, group),
    // Not on its containers: they go on as they are when somebody else looks after them.
    Labels: { ...marks, [labels.owner]: owner },
    TaskTemplate: {
      ContainerSpec: containerOf(specification, ground, marks),
      Resources: { Limits: limitsOf(specification) },
      RestartPolicy: restartPolicyOf(specification),
      Placement: node === null ? {} : { Constraints: [`node.id==${node}`] },
    },
    Mode: { Replicated: { Replicas: group.replicas } },
    UpdateConfig: updateConfig,
    RollbackConfig: updateConfig,
    EndpointSpec: {
      Mode: 'dnsrr',
      Ports: port === null ? [] : [{ Protocol: 'tcp', TargetPort: port, PublishMode: 'host' }],
    },
  }
}
