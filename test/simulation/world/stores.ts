import type {
  DatabaseProvider,
  EnvironmentPorts,
  Release,
  ReleaseSource,
} from '../../../src/capabilities/environment/ports.ts'
import type { DatabaseRecord } from '../../../src/contracts/environment/databases.ts'
import type { Effects } from './effects.ts'
import type { Life } from './life.ts'

/** What lies on the disk beside the timeline: it outlives control. */
export interface Stores {
  /** Releases by service, newest first. */
  readonly releases: Map<string, Release[]>
  readonly volumes: Set<string>
  readonly databases: Map<string, DatabaseRecord>
}

/** Creates stores with nothing in them. */
export function createStores(): Stores {
  return { releases: new Map(), volumes: new Set(), databases: new Map() }
}

type StorePorts = Pick<
  EnvironmentPorts,
  'releases' | 'images' | 'takeOver' | 'volumes' | 'databases' | 'databaseHost' | 'databaseProviders'
>
type Around = <T>(name: string, act: () => T) => Promise<T>

function releasesOf({ releases }: Stores, around: Around): StorePorts['releases'] {
  const of = (service: string): Release[] => releases.get(service) ?? []
  const add = (service: string, release: string, source: ReleaseSource): Release => {
    const there = of(service).find((one) => one.release === release)
    const made = { release, at: 1, source: source.kind, digest: release, files: 1, sizeBytes: 1, image: null }
    if (there === undefined) releases.set(service, [made, ...of(service)])
    return there ?? made
  }
  return {
    add: ({ service, release }, source) =>
      around(`store ${release} of ${service}`, () => add(service, release, source)),
    addImage: () => Promise.reject(new Error('it runs programs')),
    list: (service) => Promise.resolve(of(service)),
    directoryOf: (service, release) => `/releases/${service}/${release}`,
    remove: (service, release) =>
      around(`remove ${release} of ${service}`, () => {
        releases.set(
          service,
          of(service).filter((one) => one.release !== release),
        )
      }),
    tidy: () => Promise.resolve(),
  }
}

/** A server that is installed, well as soon as it runs, and does what it is told. */
function serverOf(around: Around): DatabaseProvider {
  return {
    versionCommand: ['server', '--version'],
    versionOf: () => null,
    find: () => Promise.resolve([{ version: '15.2', major: '15', directory: '' }]),
    packageOf: () => 'server',
    start: ({ name }) => ({ command: ['server', name], variables: {} }),
    probe: () => Promise.resolve({ healthy: true, detail: '' }),
    provision: ({ name }) => around(`provision ${name}`, () => '15.2'),
    missing: () => Promise.resolve([]),
    sizeBytes: () => Promise.resolve(0),
    url: ({ port }, name) => `server://127.0.0.1:${port}/${name}`,
  }
}

/** The stores as one life of control reaches them. */
export function storesFor(stores: Stores, effects: Effects, life: Life): StorePorts {
  const around: Around = (name, act) => life.guard(() => effects.pass(life, name, act))
  const { volumes, databases } = stores
  const server = serverOf(around)
  return {
    releases: releasesOf(stores, around),
    images: null,
    takeOver: () => Promise.resolve(),
    volumes: {
      directoryOf: (volume) => `/volumes/${volume}`,
      placeOf: (volume) => `/volumes/${volume}`,
      ensure: (volume) =>
        around(`make volume ${volume}`, () => {
          const isNew = !volumes.has(volume)
          volumes.add(volume)
          return isNew
        }),
      list: () =>
        Promise.resolve(
          [...volumes].map((name) => ({ name, place: `/volumes/${name}`, sizeBytes: 0, since: null })),
        ),
      remove: (volume) => around(`remove volume ${volume}`, () => void volumes.delete(volume)),
      whyKept: () => Promise.resolve(null),
    },
    databases: {
      placeOf: (database) => `/databases/${database}/files`,
      read: (database) => Promise.resolve(databases.get(database) ?? null),
      create: (database, record) =>
        around(`make database ${database}`, () => void databases.set(database, record)),
      update: (database, record) =>
        around(`change database ${database}`, () => void databases.set(database, record)),
      ensurePlace: (database) => around(`make a place for ${database}`, () => undefined),
      freePort: () => Promise.resolve(12_000 + databases.size),
      sizeBytes: () => Promise.resolve(0),
    },
    databaseHost: null,
    databaseProviders: { postgres: server, mariadb: server, redis: server },
  }
}
