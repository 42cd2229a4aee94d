import type { ReleaseStore } from '../../../src/capabilities/environment/ports.ts'

/** A store of releases that holds none and takes any. */
export function noReleases(): ReleaseStore {
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
