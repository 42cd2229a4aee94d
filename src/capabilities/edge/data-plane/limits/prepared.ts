import type { EdgeBan, EdgePolicy, EdgeRoute } from '../../../../contracts/edge-policy.ts'
import { createLimiter, parseLimit, type Limiter } from '../../../../kernel/limit/index.ts'
import type { Clock, Random } from '../../../../kernel/std/index.ts'
import {
  createRouter,
  createSubjectBook,
  createTrust,
  type Router,
  type SubjectBook,
  type Trust,
} from '../../pipeline/index.ts'
import { createGate, type IdentityGate } from '../identity/index.ts'
import {
  limitCapacity,
  openCounters,
  planSlots,
  type Counters,
  type Handout,
  type TargetBoard,
} from '../shared/index.ts'
import { OffenderBook, Watch } from '../offenders/index.ts'
import { prepareUpstreams, type Origins, type Upstreams } from '../upstreams/index.ts'
import { createErrorBook, type ErrorBook } from './error-book.ts'
import type { SharedLimits } from './shared-limits.ts'
import { createBounds, prepareLimits, type Bounds, type PreparedLimit } from './prepared-limits.ts'

/** A route ready for requests. */
export interface PreparedRoute extends Bounds {
  readonly route: EdgeRoute
  /** For a WebSocket that is opened: the limits of the route and those of all upgrades. */
  readonly upgrade: Bounds
  /** For each message that a client sends on a WebSocket; empty: they are not counted. */
  readonly messages: readonly PreparedLimit[]
}

/** A policy ready for requests; a request sees one from its first line to its last byte. */
export interface Prepared {
  readonly number: number
  readonly policy: EdgePolicy
  readonly router: Router<PreparedRoute>
  readonly trust: Trust
  readonly limiter: Limiter
  readonly counters: Counters
  readonly upstreams: Upstreams
  /** Null: this edge counts alone. */
  readonly shared: SharedLimits | null
  readonly unmatched: Bounds
  readonly errors: ErrorBook
  readonly offenders: OffenderBook
  readonly bans: SubjectBook<EdgeBan>
  /** Null: nobody is known but by address. */
  readonly identity: IdentityGate | null
  /** Slot for what was no HTTP. */
  readonly malformedSlot: number
}

/** What a thread makes policies ready with. */
export interface PrepareGround {
  readonly clock: Clock
  /** See `TrafficGround`. */
  readonly limitTimeMs: () => number
  readonly random: Random
  /** Of the limiter. */
  readonly seed: readonly [number, number]
  readonly origins: Origins
  readonly board: TargetBoard
  /** What the policy shares with other edges, opened before. */
  readonly shared: SharedLimits | null
  /** A token names a key that is not known. */
  readonly onUnknownKey: () => void
}

/** Makes a policy ready; nothing of it is in effect yet. */
export function prepare(handout: Handout, ground: PrepareGround): Prepared {
  const { policy, number } = handout
  const limiter = createLimiter({
    limits: policy.limits.map(({ name, rule }) => ({ name, rule: parseLimit(rule) })),
    capacity: policy.limiterCapacity,
    seed: ground.seed,
    limitCapacity,
    buffer: handout.limiter,
  })
  const limits = prepareLimits(policy, limiter, ground.clock)
  const some = (indexes: readonly number[]): PreparedLimit[] =>
    indexes.flatMap((index) => limits[index] ?? [])
  const count = policy.routes.length
  const counters = openCounters(planSlots(policy), handout.counters)
  const offenders = new OffenderBook()
  const watchAt = (slot: number): Watch => new Watch(offenders, limiter, slot)
  const { allow } = policy
  return {
    number,
    policy,
    router: createRouter(prepareRoutes(policy, { some, watchAt })),
    trust: createTrust(policy.trustProxies),
    limiter,
    shared: ground.shared,
    counters,
    upstreams: prepareUpstreams(handout, { ...ground, counters }),
    unmatched: createBounds({
      name: '(unmatched)',
      slot: count,
      limits: some(policy.unmatchedLimits),
      cost: 1,
      allow,
      saysFields: false,
      watch: watchAt(count),
    }),
    offenders,
    errors: createErrorBook(limiter, some(policy.errorLimits), ground.shared),
    bans: createSubjectBook(policy.bans.map((ban) => [ban.subject, ban] as const)),
    identity: createGate({ handout, limiter, limits, ...ground }),
    malformedSlot: count + 1,
  }
}

interface RouteGround {
  readonly some: (indexes: readonly number[]) => PreparedLimit[]
  readonly watchAt: (slot: number) => Watch
}

function prepareRoutes(
  policy: EdgePolicy,
  { some, watchAt }: RouteGround,
): { readonly route: EdgeRoute; readonly value: PreparedRoute }[] {
  return policy.routes.map((route, slot) => {
    const limits = some(route.limits)
    const allow = [...policy.allow, ...route.allow]
    const { name, cost, fields } = route
    const parts = { name, slot, cost, allow, saysFields: fields, watch: watchAt(slot) }
    const value: PreparedRoute = {
      ...createBounds({ ...parts, limits }),
      upgrade: createBounds({ ...parts, limits: [...limits, ...some(policy.upgradeLimits)] }),
      messages: some(route.messageLimits),
      route,
    }
    return { route, value }
  })
}
