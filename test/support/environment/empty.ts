import type {
  DatabaseProvider,
  DatabaseStore,
  EnvironmentPorts,
  Release,
  ReleaseStore,
} from '../../../src/capabilities/environment/ports.ts'
import type { DatabaseRecord } from '../../../src/contracts/environment/databases.ts'

/** Sections of the environment file beside its services, with nothing in them. */
export const noOtherSections = { volumes: {}, databases: {}, jobs: {}, schedules: {} } as const

/** Stores with nothing in them, that take anything. */
export function emptyStores(): Pick<
  EnvironmentPorts,
  'releases' | 'images' | 'takeOver' | 'volumes' | 'databases' | 'databaseHost' | 'databaseProviders'
> {
  const directoryOf = (volume: string): string => `/volumes/${volume}`
  const volumes = {
    directoryOf,
    placeOf: directoryOf,
    ensure: () => Promise.resolve(false),
    list: () => Promise.resolve([]),
    remove: () => Promise.resolve(),
    whyKept: () => Promise.resolve(null),
  }
  return {
    releases: emptyReleases(),
    images: null,
    takeOver: () => Promise.resolve(),
    volumes,
    databases: emptyDatabases(),
    databaseHost: null,
    databaseProviders: noServers(),
  }
}

function emptyDatabases(): DatabaseStore {
  const kept = new Map<string, DatabaseRecord>()
  return {
    placeOf: (database) => `/databases/${database}/files`,
    read: (database) => Promise.resolve(kept.get(database) ?? null),
    create: (database, record) => Promise.resolve(void kept.set(database, record)),
    update: (database, record) => Promise.resolve(void kept.set(database, record)),
    ensurePlace: () => Promise.resolve(),
    freePort: () => Promise.resolve(12_000 + kept.size),
    sizeBytes: () => Promise.resolve(0),
  }
}

/** Servers of which no programs are installed. */
function noServers(): EnvironmentPorts['databaseProviders'] {
  const none: DatabaseProvider = {
    versionCommand: ['server', '--version'],
    versionOf: () => null,
    find: () => Promise.resolve([]),
    packageOf: () => 'server',
    start: ({ name }) => ({ command: ['server', name], variables: {} }),
    probe: () => Promise.resolve({ healthy: true, detail: '' }),
    provision: () => Promise.resolve('1.2'),
    missing: () => Promise.resolve([]),
    sizeBytes: () => Promise.resolve(0),
    url: ({ port }, name) => `server://127.0.0.1:${port}/${name}`,
  }
  return { postgres: none, mariadb: none, redis: none }
}

const releaseOf = (release: string): Release => ({
  release,
  at: 1,
  source: 'a test',
  digest: release,
  files: 1,
  sizeBytes: 1,
  image: null,
})

function emptyReleases(): ReleaseStore {
  const kept = new Map<string, string[]>()
  return {
    add: ({ service, release }) => {
      kept.set(service, [release, ...(kept.get(service) ?? [])])
      return Promise.resolve(releaseOf(release))
    },
    addImage: ({ service, release }, { image }) => {
      kept.set(service, [release, ...(kept.get(service) ?? [])])
      return Promise.resolve({ ...releaseOf(release), image })
    },
    list: (service) => Promise.resolve((kept.get(service) ?? []).map(releaseOf)),
    directoryOf: (service, release) => `/releases/${service}/${release}`,
    remove: (service, release) => {
      kept.set(
        service,
        (kept.get(service) ?? []).filter((one) => one !== release),
      )
      return Promise.resolve()
    },
    tidy: () => Promise.resolve(),
  }
}
