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
