import { lookUp } from '../../../kernel/std/index.ts'
import type { Specification } from '../../../contracts/supervisor.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'
import { isManaged, type DatabasesConfig } from '../databases/config.ts'

/** Whom something runs as, and which directories are given to that user, when Holdfast was started as root. */
export type Ownership = Pick<Specification, 'user' | 'writes'>

/** Directories that a service writes to by name: volumes, and databases that are files. */
function placesOf({ volumes, env }: ServiceConfig, databases: DatabasesConfig): readonly Place[] {
  const files = Object.values(env).flatMap((value) =>
    typeof value !== 'string' && isFile(lookUp(databases, value.database)) ? [value.database] : [],
  )
  return [
    ...volumes.toSorted().map((name): Place => ({ kind: 'volume', name })),
    ...[...new Set(files)].toSorted().map((name): Place => ({ kind: 'database', name })),
  ]
}

interface Place {
  readonly kind: 'volume' | 'database'
  readonly name: string
}

const isFile = (database: DatabasesConfig[string] | undefined): boolean =>
  database?.engine === 'sqlite' && isManaged(database)

/** A place that this service shares with another that has no user of its own choice; undefined: none. */
function sharedPlace(
  name: string,
  places: readonly Place[],
  { services, databases }: OwnershipGround,
): Place | undefined {
  const others = Object.entries(services).filter(([other, { user }]) => other !== name && user === undefined)
  const theirs = others.flatMap(([, service]) => placesOf(service, databases))
  return places.find((place) => theirs.some(({ kind, name: of }) => kind === place.kind && of === place.name))
}

/** What ownership follows from. */
export interface OwnershipGround {
  readonly services: ServicesConfig
  /** Absolute directory of a volume. */
  readonly volumeDirectory: (volume: string) => string
  readonly databases: DatabasesConfig
  /** Absolute directory of the files of a database. */
  readonly databaseDirectory: (database: string) => string
}

/** Services that share a place share a user, for a directory belongs to one; all others have one of their own. */
export function ownershipOf(name: string, service: ServiceConfig, ground: OwnershipGround): Ownership {
  const places = placesOf(service, ground.databases)
  const shared = sharedPlace(name, places, ground)
  const user = service.user ?? (shared === undefined ? undefined : `${shared.kind}-${shared.name}`)
  const directories = places.map((place) =>
    place.kind === 'volume' ? ground.volumeDirectory(place.name) : ground.databaseDirectory(place.name),
  )
  const writes = [...service.writes, ...directories]
  return { ...(user === undefined ? {} : { user }), ...(writes.length === 0 ? {} : { writes }) }
}
