import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import type { VolumesConfig } from '../config.ts'
import type { VolumeStore } from '../ports.ts'

/** Makes the volumes of the file that are not there yet. Errors: the system's. */
export async function makeVolumes(
  volumes: VolumesConfig,
  store: VolumeStore,
  context: Pick<Context, 'record'>,
): Promise<void> {
  for (const volume of Object.keys(volumes)) {
    if (!(await store.ensure(volume))) continue
    const data = { volume, place: store.placeOf(volume) }
    await context.record(facts.volumeMade, data, { subject: `volume:${volume}` })
  }
}
