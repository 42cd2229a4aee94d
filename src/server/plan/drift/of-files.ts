import { environment as environmentRoom } from '../../../capabilities/environment/index.ts'
import type { ReplicaStatus } from '../../../contracts/supervisor.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { ReleaseLook } from '../../../providers/release-files/index.ts'
import { runsContainers, type LoadedEnvironment } from '../../composition/index.ts'
import { sayFew, type DriftItem } from './item.ts'
import type { FoundDirectory } from './looks.ts'

type Environment = LoadedEnvironment['environment']

/** A release that runs, and what was found of its files. */
export interface ReleaseScene {
  readonly service: string
  readonly release: string
  readonly look: ReleaseLook
}

/** Rooms of the data directory. */
export interface Rooms {
  readonly releases: FoundDirectory
  readonly volumes: FoundDirectory
  readonly databases: FoundDirectory
}

/** Whether the files of what runs are those that were stored. */
export function driftOfRelease({ service, release, look }: ReleaseScene): readonly DriftItem[] {
  const object = `release ${release} of ${service}`
  if (look.state === 'gone') return [{ object, says: 'its files are gone, and it runs', since: null }]
  if (look.state !== 'changed') return []
  const where = look.paths.length === 0 ? '' : `: ${sayFew(look.paths)}`
  return [{ object, says: `its files were changed by hand${where}`, since: look.since }]
}

/** Volumes that the file names and whose directory is gone. */
export function driftOfVolumes(environment: Environment, { volumes }: Rooms): readonly DriftItem[] {
  if (runsContainers(environment)) return []
  return Object.keys(environment.volumes)
    .filter((name) => !Object.hasOwn(volumes.entries, name))
    .map((name) => ({
      object: `volume ${name}`,
      says: 'its directory is gone, with what was in it',
      since: volumes.modifiedAt,
    }))
}

const named = (kind: string, names: readonly string[], whose: FoundDirectory): readonly DriftItem[] =>
  Object.entries(whose.entries)
    .filter(([name]) => !name.startsWith('.') && !names.includes(name))
    .map(([name, since]) => ({
      object: `${kind} ${name}`,
      says: 'left over: the file does not name it',
      since,
    }))

/** When the file that no longer names an object was accepted; null: not known. */
export type GoneSince = (object: string) => number | null

/** What lies in the data directory and nothing names. */
export function leftOverFiles(
  environment: Environment,
  rooms: Rooms,
  goneSince: GoneSince,
): readonly DriftItem[] {
  const { services, volumes, databases } = environment
  const kept = Object.keys(databases).filter((name) => {
    const database = lookUp(databases, name)
    return database !== undefined && environmentRoom.isManagedDatabase(database)
  })
  const releases = named('releases of', Object.keys(services), rooms.releases)
  const found = [
    ...releases,
    ...named('volume', Object.keys(volumes), rooms.volumes),
    ...named('database', kept, rooms.databases),
  ]
  return found.map((item) => ({
    ...item,
    since: goneSince(item.object.replace(/^releases of /, 'service ')) ?? item.since,
  }))
}

/** What the engine runs and nothing names; one-off runs bear names of their own. */
export function leftOverReplicas(
  { services, databases }: Environment,
  replicas: readonly ReplicaStatus[],
  goneSince: GoneSince,
): readonly DriftItem[] {
  return replicas
    .filter(({ service, leaving }) => !leaving && !environmentRoom.isOfJob(service))
    .filter(({ service }) => !Object.hasOwn(services, service) && !Object.hasOwn(databases, service))
    .map(({ id, service, startedAt }) => ({
      object: `replica ${id}`,
      says: 'left over: it runs, and the file does not name its service',
      since: goneSince(`service ${service}`) ?? startedAt,
    }))
}
