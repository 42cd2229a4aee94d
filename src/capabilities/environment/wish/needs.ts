import type { Finding } from '../../../kernel/capability/index.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'
import type { DatabasesConfig } from '../databases/config.ts'
import { closest } from '../../../kernel/std/index.ts'

/** What a service needs: what it names, and the databases that its variables refer to. */
export function needsOfService({ needs, env }: Pick<ServiceConfig, 'needs' | 'env'>): readonly string[] {
  const databases = Object.values(env).flatMap((value) => (typeof value === 'string' ? [] : [value.database]))
  return [...new Set([...needs, ...databases])]
}

/** What needs what in a file, databases included; those need nothing. */
export function needsOf({ services, databases }: NeedingSections): Needs {
  const ofServices = Object.entries(services).map(([name, service]) => [name, needsOfService(service)] as const)
  const ofDatabases = Object.keys(databases).map((name) => [name, []] as const)
  return Object.fromEntries([...ofDatabases, ...ofServices])
}

/** The parts of the environment file that need one another. */
interface NeedingSections {
  readonly services: ServicesConfig
  readonly databases: DatabasesConfig
}

/** What needs what, by name. */
export type Needs = Readonly<Record<string, readonly string[]>>

/** Names in an order in which everything comes after what it needs; those on and behind circles are left over. */
export function orderByNeeds(needs: Needs): {
  readonly order: readonly string[]
  readonly left: readonly string[]
} {
  const order: string[] = []
  const done = new Set<string>()
  let left = Object.keys(needs)
  for (let ready = left; ready.length > 0;) {
    ready = left.filter((name) => (needs[name] ?? []).every((needed) => done.has(needed)))
    for (const name of ready) done.add(name)
    order.push(...ready)
    left = left.filter((name) => !done.has(name))
  }
  return { order, left }
}

/** A circle among names of which each needs another of them: as the names on it, the first one again at the end. */
function circleAmong(left: readonly string[], needs: Needs): readonly string[] {
  const path: string[] = []
  for (let name = left[0]; name !== undefined;) {
    const at = path.indexOf(name)
    if (at >= 0) return [...path.slice(at), name]
    path.push(name)
    name = (needs[name] ?? []).find((needed) => left.includes(needed))
  }
  return path
}

function unknown(name: string, needed: string, needs: Needs): Finding {
  const meant = closest(needed, Object.keys(needs))
  return {
    severity: 'critical',
    path: `services.${name}.needs`,
    message: `it needs "${needed}", which the file does not name`,
    hint: meant === undefined ? `there are ${Object.keys(needs).join(', ')}` : `did you mean "${meant}"?`,
  }
}

/** Needs that nothing in the file meets, and circles of needs: nothing on them could ever start. */
export function findUnmetNeeds(needs: Needs): readonly Finding[] {
  const lost = Object.entries(needs).flatMap(([name, all]) =>
    all.filter((needed) => !Object.hasOwn(needs, needed)).map((needed) => unknown(name, needed, needs)),
  )
  if (lost.length > 0) return lost
  const { left } = orderByNeeds(needs)
  if (left.length === 0) return []
  const circle = circleAmong(left, needs)
  return [
    {
      severity: 'critical',
      path: `services.${circle[0]}.needs`,
      message: `a circle of needs: ${circle.join(' needs ')}`,
      hint: 'take one of them out: what is needed must be able to start without what needs it',
    },
  ]
}
