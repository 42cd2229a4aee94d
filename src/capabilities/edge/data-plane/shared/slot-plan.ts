import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'

/** Which slot of the counters is whose: first the routes, then the groups. */
export interface SlotPlan {
  /** Names of the routes in the order of the policy, then `(unmatched)` and `(malformed)`. */
  readonly routes: readonly string[]
  /** Each group of targets once, in the order of the policy. */
  readonly groups: readonly GroupKey[]
}

/** Targets of one upstream that are counted together. */
export interface GroupKey {
  readonly upstream: string
  readonly group: string
}

/** The slots that a policy needs; pure, so that every thread comes to the same. */
export function planSlots({ routes, upstreams }: EdgePolicy): SlotPlan {
  return {
    routes: [...routes.map(({ name }) => name), '(unmatched)', '(malformed)'],
    groups: upstreams.flatMap(({ name, targets }) =>
      [...new Set(targets.map(({ group }) => group))].map((group) => ({ upstream: name, group })),
    ),
  }
}

/** The slot of a group. */
export function groupSlot({ routes, groups }: SlotPlan, { upstream, group }: GroupKey): number {
  const index = groups.findIndex((each) => each.upstream === upstream && each.group === group)
  return routes.length + index
}
