import { databasesConfig } from '../../../src/capabilities/environment/databases/config.ts'
import { createDatabases } from '../../../src/capabilities/environment/databases/databases.ts'
import type { DatabaseHost, DatabaseProvider } from '../../../src/capabilities/environment/ports.ts'
import { environmentFold, type EnvironmentView } from '../../../src/capabilities/environment/view.ts'
import { openSeries } from '../../../src/kernel/series/index.ts'
import { seededRandom, virtualClock } from '../../../src/kernel/std/index.ts'
import { memoryTimeline, type Fact } from '../../../src/kernel/timeline/index.ts'
import { contextOf } from '../context.ts'
import { emptyStores } from './empty.ts'

/** A database of each kind, and one that somebody else runs. */
export const someDatabases = databasesConfig.parse({
  main: { engine: 'postgres', names: ['shop', 'logs'], settings: { work_mem: '1MB' } },
  cache: { engine: 'redis' },
  local: { engine: 'sqlite' },
  outside: { engine: 'mariadb', urlVariable: 'OUTSIDE' },
})
/** Where the one of somebody else is. */
export const outside = 'mysql://a%40b:c%2Fd@db.example/orders?ssl=1'

/** A server in memory, whose version and health a test sets. */
export function fakeServer() {
  const missing: string[] = []
  const reached = { healthy: false, detail: 'refuses connections' }
  const state = {
    version: '15.3',
    installed: ['15.3'],
    isUp: true,
    refuses: false,
    provisioned: 0,
    reached,
    missing,
  }
  const provider: DatabaseProvider = {
    versionCommand: ['server', '--version'],
    versionOf: (said) => {
      const version = /^server (\d+)\.\d+$/.exec(said)
      return version === null ? null : { version: said.slice(7), major: version[1] ?? '' }
    },
    find: () =>
      Promise.resolve(
        state.installed.map((version) => ({
          version,
          major: version.split('.')[0] ?? '',
          directory: '/bin',
        })),
      ),
    packageOf: (major) => `server-${major ?? 'any'}`,
    start: ({ place, port, settings }) => ({
      command: ['server', place, String(port), JSON.stringify(settings)],
      variables: { SECRET: 'x' },
    }),
    probe: () =>
      Promise.resolve(state.isUp ? { healthy: true, detail: '' } : { healthy: false, detail: 'no' }),
    provision: () => {
      state.provisioned++
      return state.refuses ? Promise.reject(new Error('full')) : Promise.resolve(state.version)
    },
    missing: () => Promise.resolve(state.missing),
    sizeBytes: () => Promise.resolve(7),
    url: ({ name, host, port, password }, inside) => `db://${name}:${password}@${host}:${port}/${inside}`,
  }
  return { state, provider }
}

/** A node with images, whose address, daemon and images a test sets; null: it does not answer. */
export function fakeNode() {
  const images: Record<string, string> = { 'server:15': 'server 15.3', 'server:15b': 'server 15.4' }
  const node = {
    home: { daemon: 'one', host: '10.0.0.1' } as { daemon: string; host: string } | null,
    images,
  }
  const host: DatabaseHost = {
    home: () =>
      node.home === null
        ? Promise.reject(new Error('away'))
        : Promise.resolve({ ...node.home, takenPorts: [12_001] }),
    // What is in an image is what it is known by.
    imageId: (image) =>
      Promise.resolve(Object.hasOwn(node.images, image) ? `sha256:${node.images[image]}` : null),
    tryOut: (imageId) => Promise.resolve(imageId.slice(7)),
  }
  return { node, host }
}

/** Rooms of databases over one world; each is a control that comes after the one before. */
export async function databaseWorld(databaseHost: DatabaseHost | null = null) {
  const clock = virtualClock()
  const timeline = memoryTimeline({ clock, random: seededRandom(3) })
  const context = contextOf({ timeline, series: await openSeries({ path: null, clock }), clock })
  const { state, provider } = fakeServer()
  const view = await context.view(environmentFold)
  const { databases: store, volumes } = emptyStores()
  const kinds = async (): Promise<readonly string[]> =>
    (await timeline.read({ limit: 100, order: 'oldest' })).map(({ kind }: Fact) => kind.slice(12))
  const control = (config = someDatabases) =>
    createDatabases({
      databases: config,
      context,
      view: (): EnvironmentView => view.state,
      ports: {
        databases: store,
        databaseHost,
        volumes,
        databaseProviders: { postgres: provider, mariadb: provider, redis: provider },
        prober: { probe: () => Promise.resolve(state.reached) },
        hostVariables: { OUTSIDE: outside, PATH: '/bin', TOKEN: 'private' },
      },
    })
  return { clock, state, store, kinds, control }
}
