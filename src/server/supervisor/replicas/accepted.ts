import type { ReplicaSpec } from '../../../contracts/supervisor.ts'
import { contentHash } from '../../../kernel/std/index.ts'

/** A specification that was accepted, with its hash. */
export interface Accepted {
  readonly spec: ReplicaSpec
  /** Content hash of the specification without its slot: replicas with equal ones are of one group. */
  readonly specHash: string
}

/** Hashes a specification. */
export function accept(spec: ReplicaSpec): Accepted {
  const { id: _slot, ...specification } = spec
  return { spec, specHash: contentHash(specification) }
}

/** Variable that marks every process of a replica. */
export const REPLICA_MARK = 'HOLDFAST_REPLICA'

/** Variable that tells a replica its release, and us, when all else is lost. */
export const RELEASE_VARIABLE = 'HOLDFAST_RELEASE'

/** What an environment's mark says of a replica. */
export interface Mark {
  /** Hash of the data directory; see `environmentHash`. */
  readonly environment: string
  readonly id: string
  readonly specHash: string
}

/** The mark's text: `<environment>/<service>/<slot>/<specHash>`. */
export function sayMark(mark: Mark): string {
  return `${mark.environment}/${mark.id}/${mark.specHash}`
}

/** Reads a mark; undefined when it is none. */
export function parseMark(text: string): Mark | undefined {
  const match = /^([0-9a-f]+)\/([a-z][a-z0-9-]*\/\d+)\/([0-9a-f]+)$/.exec(text)
  const [, environment, id, specHash] = match ?? []
  return environment === undefined || id === undefined || specHash === undefined
    ? undefined
    : { environment, id, specHash }
}
