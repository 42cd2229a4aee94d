import type { ReleaseStore, VolumeStore } from '../../../src/capabilities/environment/ports.ts'

/** Sections of the environment file beside its services, with nothing in them. */
export const noOtherSections = { volumes: {}, jobs: {}, schedules: {} } as const

/** Stores with nothing in them, that take anything. */
export function emptyStores(): { readonly releases: ReleaseStore; readonly volumes: VolumeStore } {
  const done = (): Promise<void> => Promise.resolve()
  const volumes = { directoryOf: (volume: string) => `/volumes/${volume}`, ensure: done, remove: done }
  return { releases: emptyReleases(), volumes }
}

function emptyReleases(): ReleaseStore {
  const kept = new Map<string, string[]>()
  return {
    add: ({ service, release }) => {
      kept.set(service, [release, ...(kept.get(service) ?? [])])
      return Promise.resolve({ release, at: 1, source: 'a test', digest: release, files: 1, sizeBytes: 1 })
    },
    list: (service) =>
      Promise.resolve(
        (kept.get(service) ?? []).map((release) => ({
          release,
          at: 1,
          source: 'a test',
          digest: release,
          files: 1,
          sizeBytes: 1,
        })),
      ),
    directoryOf: (service, release) => `/releases/${service}/${release}`,
    remove: (service, release) => {
      kept.set(
        service,
        (kept.get(service) ?? []).filter((one) => one !== release),
      )
      return Promise.resolve()
    },
  }
}
