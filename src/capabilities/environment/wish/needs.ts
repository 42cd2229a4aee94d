import type { ServiceConfig, ServicesConfig } from '../config.ts'
import type { DatabasesConfig } from '../databases/config.ts'

/** What a service needs: what it names, and the databases that its variables refer to. */
export function needsOfService({ needs, env }: Pick<ServiceConfig, 'needs' | 'env'>): readonly string[] {
  const databases = Object.values(env).flatMap((value) => (typeof value === 'string' ? [] : [value.database]))
  return [...new Set([...needs, ...databases])]
}

/** What needs what in a file, databases included; those need nothing. */
export function needsOf({ services, databases }: NeedingSections): Needs {
  const ofServices = Object.entries(services).map(
    ([name, service]) => [name, needsOfService(service)] as const,
  )
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

/**
 * How long each service and database may take until it is well when everything starts at once, milliseconds: its own time,
 * after that of what it needs. What is on a circle gets its own.
 */
export function startTimeouts(sections: NeedingSections): Readonly<Record<string, number>> {
  const { services, databases } = sections
  const own = new Map(
    Object.entries({ ...databases, ...services }).map(([name, { startTimeout }]) => [name, startTimeout]),
  )
  const needs = needsOf(sections)
  const all = new Map<string, number>()
  const { order, left } = orderByNeeds(needs)
  for (const name of [...order, ...left]) {
    const before = (needs[name] ?? []).map((needed) => all.get(needed) ?? 0)
    all.set(name, (own.get(name) ?? 0) + Math.max(0, ...before))
  }
  return Object.fromEntries(all)
}
