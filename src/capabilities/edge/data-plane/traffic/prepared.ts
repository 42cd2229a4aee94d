import type { EdgePolicy, EdgeRoute } from '../../../../contracts/edge-policy.ts'
import { createLimiter, parseLimit, type KeyHash, type Limiter } from '../../../../kernel/limit/index.ts'
import {
  createRouter,
  createTrust,
  keyReader,
  type Countable,
  type Router,
  type Trust,
} from '../../pipeline/index.ts'
import { limitCapacity, openCounters, type Counters, type Handout } from '../shared/index.ts'
import { nearUnits, OffenderBook, subjectReader, Watch, type Watched } from '../offenders/index.ts'
import type { Origin, Origins } from './origins.ts'

/** A limit ready to be taken from. */
export interface PreparedLimit extends Watched {
  readonly index: number
  readonly name: string
  /** As written. */
  readonly rule: string
  readonly isLease: boolean
  readonly isDryRun: boolean
  readonly keyOf: (from: Countable) => KeyHash
}

/** One address of an upstream. */
export interface PreparedTarget {
  readonly id: string
  readonly slot: number
  readonly origin: Origin
}

/** A service with its targets. */
export interface PreparedUpstream {
  readonly name: string
  readonly targets: readonly PreparedTarget[]
}

/** What bounds a request and where it is counted. */
export interface Bounds {
  readonly name: string
  /** Slot of the counters. */
  readonly slot: number
  readonly limits: readonly PreparedLimit[]
  /** The one limit, when there is only one and it is a rate that refuses: it has a shorter way. */
  readonly only: PreparedLimit | null
  /** Writes down whom the limits refuse. */
  readonly watch: Watch
}

/** A route ready for requests. */
export interface PreparedRoute extends Bounds {
  readonly route: EdgeRoute
  readonly upstream: PreparedUpstream
}

/** A policy ready for requests; a request sees one from its first line to its last byte. */
export interface Prepared {
  readonly number: number
  readonly policy: EdgePolicy
  readonly router: Router<PreparedRoute>
  readonly trust: Trust
  readonly limiter: Limiter
  readonly counters: Counters
  readonly unmatched: Bounds
  readonly offenders: OffenderBook
  /** Slot for what was no HTTP. */
  readonly malformedSlot: number
}

/** Makes a policy ready; nothing of it is in effect yet. */
export function prepare(handout: Handout, seed: readonly [number, number], origins: Origins): Prepared {
  const { policy, number } = handout
  const rules = policy.limits.map(({ name, rule }) => ({ name, rule: parseLimit(rule) }))
  const limiter = createLimiter({
    limits: rules,
    capacity: policy.limiterCapacity,
    seed,
    limitCapacity,
    buffer: handout.limiter,
  })
  const limits = rules.map(({ name, rule }, index): PreparedLimit => {
    const read = keyReader(rule)
    return {
      index,
      name,
      rule: policy.limits[index]?.rule ?? '',
      isLease: rule.kind === 'concurrency',
      isDryRun: rule.dryRun,
      keyOf: (from) => limiter.hash(read(from)),
      subjectOf: subjectReader(rule.per),
      nearFrom: nearUnits(rule),
    }
  })
  const rates = new Set(
    rules.flatMap(({ rule }, index) => (rule.kind === 'rate' && !rule.dryRun ? [index] : [])),
  )
  const offenders = new OffenderBook()
  const bounds = (name: string, slot: number, indexes: readonly number[]): Bounds => {
    const own = indexes.flatMap((index) => limits[index] ?? [])
    const [first] = own
    const only = own.length === 1 && first !== undefined && rates.has(first.index) ? first : null
    return { name, slot, limits: own, only, watch: new Watch(offenders, limiter, slot) }
  }
  const upstreams = prepareUpstreams(handout, origins)
  const entries = policy.routes.map((route, slot) => ({
    route,
    value: {
      ...bounds(route.name, slot, route.limits),
      route,
      upstream: upstreams.get(route.upstream) ?? { name: route.upstream, targets: [] },
    },
  }))
  const count = policy.routes.length
  return {
    number,
    policy,
    router: createRouter(entries),
    trust: createTrust(policy.trustProxies),
    limiter,
    offenders,
    counters: openCounters(count + 2, handout.counters),
    unmatched: bounds('(unmatched)', count, policy.unmatchedLimits),
    malformedSlot: count + 1,
  }
}

function prepareUpstreams(
  { policy, slots }: Handout,
  origins: Origins,
): ReadonlyMap<string, PreparedUpstream> {
  return new Map(
    policy.upstreams.map(({ name, targets }, upstream) => [
      name,
      {
        name,
        targets: targets.map(({ id, origin }, target) => ({
          id,
          slot: slots[upstream]?.[target] ?? 0,
          origin: origins.get(origin),
        })),
      },
    ]),
  )
}
