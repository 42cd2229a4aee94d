import type { EdgePolicies } from '../../../src/contracts/edge-policy.ts'
import type { FoundDirectory, Looks } from '../../../src/server/plan/index.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

function policiesOf({ dataPlane: { policy } }: World): EdgePolicies {
  const enforced = JSON.parse(JSON.stringify(policy ?? null)) as EdgePolicies['enforced']
  return { enforced, kept: { modifiedAt: 0, policy: enforced } }
}

const holding = (names: Iterable<string>): FoundDirectory => ({
  modifiedAt: 0,
  entries: Object.fromEntries([...names].map((name) => [name, 0])),
})

/** What drift sees of a world. */
export function looksOf(world: World, life: Life): Looks {
  const { stores, engine } = world
  const rooms: Readonly<Record<string, () => FoundDirectory>> = {
    releases: () => holding(stores.releases.keys()),
    volumes: () => holding(stores.volumes),
    databases: () => holding(stores.databases.keys()),
  }
  return {
    edge: () => Promise.resolve(policiesOf(world)),
    replicas: async () => (await engine.portFor(life).status()).replicas,
    tampering: () => Promise.resolve({ strays: [], frozen: [], limits: [] }),
    release: () => Promise.resolve({ state: 'same' }),
    record: (database) => Promise.resolve(stores.databases.get(database) ?? null),
    directory: (path) => Promise.resolve(rooms[path]?.() ?? holding(['record.json', 'files'])),
    fileModifiedAt: () => Promise.resolve(null),
    acceptedAt: () => Promise.resolve(null),
  }
}
