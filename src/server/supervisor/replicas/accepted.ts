import { createHash } from 'node:crypto'
import type { ReplicaSpec } from '../../../contracts/supervisor.ts'
import { canonicalJson } from '../../../kernel/std/index.ts'

/** A specification that was accepted, with its hash. */
export interface Accepted {
  readonly spec: ReplicaSpec
  /** 16 hex digits over the canonical specification. */
  readonly specHash: string
}

/** Hashes a specification; equal ones have equal hashes, whatever the order of their keys. */
export function accept(spec: ReplicaSpec): Accepted {
  return { spec, specHash: createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 16) }
}

/** Variable that marks every process of a replica. */
export const REPLICA_MARK = 'HOLDFAST_REPLICA'

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
