import type { Specification } from '../../../contracts/supervisor.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'

/** Whom something runs as, and which directories are given to that user, when Holdfast was started as root. */
export type Ownership = Pick<Specification, 'user' | 'writes'>

/** A volume that this service shares with another that has no user of its own choice; undefined: none. */
function sharedVolume(
  name: string,
  { volumes }: ServiceConfig,
  services: ServicesConfig,
): string | undefined {
  return volumes
    .toSorted()
    .find((volume) =>
      Object.entries(services).some(
        ([other, { volumes: theirs, user }]) =>
          other !== name && user === undefined && theirs.includes(volume),
      ),
    )
}

/** What ownership follows from. */
export interface OwnershipGround {
  readonly services: ServicesConfig
  /** Absolute directory of a volume. */
  readonly volumeDirectory: (volume: string) => string
}

/** Services that share a volume share a user, for a directory belongs to one; all others have one of their own. */
export function ownershipOf(
  name: string,
  service: ServiceConfig,
  { services, volumeDirectory }: OwnershipGround,
): Ownership {
  const shared = sharedVolume(name, service, services)
  const user = service.user ?? (shared === undefined ? undefined : `volume-${shared}`)
  const writes = [...service.writes, ...service.volumes.map((volume) => volumeDirectory(volume))]
  return { ...(user === undefined ? {} : { user }), ...(writes.length === 0 ? {} : { writes }) }
}
