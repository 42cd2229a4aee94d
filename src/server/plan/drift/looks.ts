import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { EdgePolicies } from '../../../contracts/edge-policy.ts'
import type { DatabaseRecord } from '../../../contracts/environment/databases.ts'
import type { ReplicaStatus, Tampering } from '../../../contracts/supervisor.ts'
import { systemCode, systemRandom } from '../../../kernel/std/index.ts'
import { databaseDirectories } from '../../../providers/databases/index.ts'
import { edgeProcess } from '../../../providers/edge-process/index.ts'
import { releaseFiles, type ReleaseLook } from '../../../providers/release-files/index.ts'
import { requestOverSocket } from '../../../providers/unix-http/index.ts'
import { engineOf, type EngineGround } from '../../engine/index.ts'

/** A directory as it was found. Times are milliseconds since the epoch. */
export interface FoundDirectory {
  /** Null: there is none. */
  readonly modifiedAt: number | null
  /** When each thing in it was modified, by name. */
  readonly entries: Readonly<Record<string, number>>
}

/** What drift looks at beside what operations say. None of them touches anything. */
export interface Looks {
  /** What the edge serves on. Errors: `edge.unreachable`. */
  edge(): Promise<EdgePolicies>
  /** All that the engine runs for this environment. Errors: those of the engine. */
  replicas(): Promise<readonly ReplicaStatus[]>
  /** What somebody changed by hand about replicas. Errors: `supervisor.unreachable`. */
  tampering(): Promise<Tampering>
  /** Whether the files of a release are those that were stored. Errors: the system's, that of the signal. */
  release(
    place: { readonly service: string; readonly release: string },
    signal: AbortSignal,
  ): Promise<ReleaseLook>
  /** Null: there is no record. Errors: `environment.database-record-unreadable`. */
  record(database: string): Promise<DatabaseRecord | null>
  /** A directory below the data directory, as `volumes`. Errors: the system's. */
  directory(path: string): Promise<FoundDirectory>
  /** When the environment file was modified, and when one was accepted last; null: not known. Neither throws. */
  fileModifiedAt(file: string): Promise<number | null>
  acceptedAt(): Promise<number | null>
}

async function lookInto(directory: string): Promise<FoundDirectory> {
  try {
    const { mtimeMs } = await stat(directory)
    const names = await readdir(directory)
    const entries = await Promise.all(
      names.map(async (name) => [name, (await timeOf(join(directory, name))) ?? 0] as const),
    )
    return { modifiedAt: Math.floor(mtimeMs), entries: Object.fromEntries(entries) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { modifiedAt: null, entries: {} }
    throw error
  }
}

const timeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ mtimeMs }) => Math.floor(mtimeMs),
    () => null,
  )

/** Looks at an environment that runs; opens nothing until it is asked. */
export function looksAt(ground: EngineGround): Looks {
  const { dataDirectory, clock } = ground
  const { engine, tampering } = engineOf(ground)
  const edge = edgeProcess({ dataDirectory, request: requestOverSocket })
  const releases = releaseFiles({ directory: join(dataDirectory, 'releases'), clock })
  const databases = databaseDirectories(join(dataDirectory, 'databases'), systemRandom)
  return {
    edge: () => edge.policies(),
    replicas: async () => (await engine.status()).replicas,
    tampering,
    release: ({ service, release }, signal) => releases.look(service, release, signal),
    record: (database) => databases.read(database),
    directory: (path) => lookInto(join(dataDirectory, path)),
    fileModifiedAt: timeOf,
    acceptedAt: () => timeOf(join(dataDirectory, 'environment.json')),
  }
}
