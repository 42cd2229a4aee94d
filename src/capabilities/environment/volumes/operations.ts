import { environmentOperations, type VolumeList } from '../../../contracts/environment.ts'
import { bindValue, type OperationBinding } from '../../../kernel/capability/index.ts'
import { saySize } from '../../../kernel/std/index.ts'
import type { ServicesConfig, VolumesConfig } from '../config.ts'
import type { KeptVolume, VolumeStore } from '../ports.ts'

/** What the operation on volumes stands on. */
export interface VolumesGround {
  readonly volumes: VolumesConfig
  readonly services: ServicesConfig
  readonly store: Pick<VolumeStore, 'list' | 'placeOf'>
}

type One = VolumeList['volumes'][number]

/** The volumes that the file names, in its order, and then what is left over; pure. */
export function volumesView(
  { volumes, services, store }: VolumesGround,
  kept: readonly KeptVolume[],
): readonly One[] {
  const usersOf = (volume: string): string[] =>
    Object.entries(services).flatMap(([name, service]) => (service.volumes.includes(volume) ? [name] : []))
  const named = Object.entries(volumes).map(([name, { exclusive }]): One => {
    const found = kept.find((one) => one.name === name)
    const { sizeBytes = null, since = null } = found ?? {}
    const place = store.placeOf(name)
    return { name, place, named: true, exclusive, usedBy: usersOf(name), sizeBytes, since }
  })
  const left = kept
    .filter(({ name }) => !Object.hasOwn(volumes, name))
    .map((one): One => ({ ...one, named: false, exclusive: null, usedBy: [] }))
  return [...named, ...left]
}

const count = (number: number): string => (number === 1 ? '1 volume' : `${number} volumes`)

function sayVolumes(volumes: readonly One[]): string {
  const named = volumes.filter((volume) => volume.named)
  const left = volumes.filter((volume) => !volume.named)
  const sizes = volumes.flatMap(({ sizeBytes }) => (sizeBytes === null ? [] : [sizeBytes]))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const unknown = sizes.length < volumes.length ? ', as far as is known' : ''
  const size = sizes.length === 0 ? '' : `, ${saySize(total)} in all${unknown}`
  const names = left.length === 0 ? '' : `; left over: ${left.map(({ name }) => name).join(', ')}`
  if (volumes.length === 0) return 'The file names no volume'
  return `The file names ${named.length === 0 ? 'no volume' : count(named.length)}${names}${size}`
}

/** Binds what is said about volumes to its code. */
export function bindVolumes(ground: VolumesGround): readonly OperationBinding[] {
  return [
    bindValue(environmentOperations.volumes, async () => {
      const volumes = [...volumesView(ground, await ground.store.list())]
      return { says: sayVolumes(volumes), volumes }
    }),
  ]
}
