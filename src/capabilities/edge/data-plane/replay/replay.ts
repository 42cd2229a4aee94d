import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'
import { createLimiter, parseLimit, type Counts, type Limiter } from '../../../../kernel/limit/index.ts'
import type { Clock } from '../../../../kernel/std/index.ts'
import {
  directClient,
  nobody,
  normaliseTarget,
  type Client,
  type Countable,
  type Identity,
} from '../../pipeline/index.ts'
import { admit, createErrorBook, prepareLimits } from '../limits/index.ts'
import type { Bounds, ErrorBook, PreparedLimit } from '../limits/index.ts'
import { mergeOffenders } from '../../offenders/index.ts'
import { nameOffenders, OffenderBook } from '../offenders/index.ts'
import { isRolled, pastRoutes, type PastBounds, type PastRoutes } from './bounds.ts'
import { ByStart, startOf } from './by-start.ts'
import { HeldPlaces } from './held.ts'
import type { LoggedRequest, RolledRequest } from './requests.ts'

/** What a limit would have done. */
export interface ReplayedLimit extends Counts {
  readonly name: string
  readonly rule: string
}

/** Whom it would have refused; refused no more often than this says. */
export interface ReplayedSubject {
  readonly limit: string
  readonly rule: string
  readonly subject: string
  readonly refused: number
}

/** What a policy would have made of a log. */
export interface ReplayResult {
  readonly requests: number
  readonly refused: number
  /** Refused at once, but a limit lets wait and there would soon have been room. */
  readonly waited: number
  /** Of what no route matches, refusals aside. */
  readonly unmatched: number
  readonly addresses: number
  readonly refusedAddresses: number
  /** The numbers of addresses are the least that there were: more than can be remembered. */
  readonly isManyAddresses: boolean
  readonly limits: readonly ReplayedLimit[]
  /** Refused most first. */
  readonly top: readonly ReplayedSubject[]
  /** Rules of what goes on at once that would have bounded a request of unknown duration, and how many of these came. */
  readonly passedOver: { readonly requests: number; readonly rules: readonly string[] }
  /** Rules that count by what a roll-up does not know; empty for logs. */
  readonly unknowable: readonly string[]
  /** Routes of the policy by which nothing came. */
  readonly quietRoutes: readonly string[]
  /** Requests of roll-ups that are somebody's. */
  readonly ofSenders: number
}

/** A policy over which a log is replayed. */
export interface Replay {
  /** Decides about a request at the time of the log: when it began, where that is known and matters. */
  take(request: LoggedRequest): void
  /** Decides about a request that is known by a roll-up only. */
  takeRolled(request: RolledRequest): void
  result(): ReplayResult
}

const mostAddresses = 1_000_000
const mostClients = 50_000
const mostTop = 100
/** The book has room for so many; before somebody may be pushed out it is emptied into the sums. */
const sumEvery = 100_000
const mostSums = 2000

/** Prepares a policy; the limiter has a table of its own, and time is the log's. `clock` drives nothing. */
export function createReplay(policy: EdgePolicy, clock: Clock): Replay {
  return new PolicyReplay(policy, clock)
}

type Verdict = 'admitted' | 'refused' | 'waits'

/** A request with everything that is known of it. */
interface Past {
  readonly bounds: Bounds
  readonly countable: Countable
  readonly atMs: number
  /** Until when it holds its place; null: its duration is not known. */
  readonly endMs: number | null
  readonly status: number
}

class PolicyReplay implements Replay {
  readonly #policy: EdgePolicy
  readonly #limiter: Limiter
  readonly #limits: readonly PreparedLimit[]
  readonly #routes: PastRoutes
  readonly #errors: ErrorBook
  readonly #book = new OffenderBook()
  readonly #byStart: ByStart | null
  readonly #held = new HeldPlaces()
  readonly #clients = new Map<string, Client>()
  readonly #addresses = new Set<string>()
  readonly #refusedAddresses = new Set<string>()
  readonly #cameBy = new Set<number>()
  readonly #passedOver = new Set<PreparedLimit>()
  #sums: ReturnType<typeof mergeOffenders> = { offenders: [], nearMisses: [] }
  #counts = { requests: 0, refused: 0, waited: 0, missed: 0, timeless: 0, timed: 0, rolled: 0, ofSenders: 0 }

  constructor(policy: EdgePolicy, clock: Clock) {
    this.#policy = policy
    this.#limiter = createLimiter({
      limits: policy.limits.map(({ name, rule }) => ({ name, rule: parseLimit(rule) })),
      capacity: policy.limiterCapacity,
      seed: [1, 2],
      alone: true,
    })
    this.#limits = prepareLimits(policy, this.#limiter, clock)
    const ground = { policy, limiter: this.#limiter, limits: this.#limits, book: this.#book }
    this.#routes = pastRoutes(ground)
    this.#errors = createErrorBook(
      this.#limiter,
      policy.errorLimits.flatMap((index) => this.#limits[index] ?? []),
    )
    const hasLeases = this.#limits.some(({ isLease }) => isLease)
    this.#byStart = hasLeases ? new ByStart((request) => this.#replay(request)) : null
  }

  take(request: LoggedRequest): void {
    if (this.#byStart === null) this.#replay(request)
    else this.#byStart.take(request)
  }

  takeRolled({ atMs, route, sender }: RolledRequest): void {
    const bounds = this.#bounded(route === '(unmatched)' ? null : this.#routes.named(route))
    this.#counts.rolled++
    if (sender === null) return this.#takeAnonymous(bounds, atMs)
    this.#counts.ofSenders++
    const client = this.#clientOf(sender.address)
    const countable = { client, who: identityOf(sender.who), ...unrecorded, route: bounds.rolled.name }
    this.#count(bounds, this.#decide({ bounds: bounds.rolled, countable, atMs, ...unrecordedEnd }), client)
  }

  result(): ReplayResult {
    this.#byStart?.end()
    this.#sum()
    const { requests, refused, waited, missed, timeless, rolled, ofSenders } = this.#counts
    const top = this.#sums.offenders.filter((each) => each.refused > 0).slice(0, mostTop)
    const quiet = this.#policy.routes.filter((_, slot) => !this.#cameBy.has(slot))
    const sayRules = (some: readonly PreparedLimit[]): string[] =>
      some.map(({ name, rule }) => `${name} (${rule})`)
    return {
      requests,
      refused,
      waited,
      unmatched: missed,
      addresses: this.#addresses.size,
      refusedAddresses: this.#refusedAddresses.size,
      isManyAddresses: this.#addresses.size >= mostAddresses,
      limits: this.#limitResults(),
      top: top.map((each) => ({
        limit: each.limit,
        rule: each.rule,
        subject: each.subject,
        refused: each.refused,
      })),
      passedOver: { requests: timeless, rules: sayRules([...this.#passedOver]) },
      unknowable: rolled === 0 ? [] : sayRules(this.#limits.filter((limit) => !isRolled(limit))),
      quietRoutes: quiet.map(({ name }) => name),
      ofSenders,
    }
  }

  /** Of those rules that were asked at all. */
  #limitResults(): readonly ReplayedLimit[] {
    const counts = this.#limiter.counters()
    const { timed } = this.#counts
    return this.#policy.limits.flatMap(({ name, rule }, index) =>
      this.#limits[index]?.isLease === true && timed === 0
        ? []
        : [{ name, rule, ...(counts[index] ?? { admitted: 0, refused: 0, wouldRefuse: 0 }) }],
    )
  }

  #takeAnonymous(bounds: PastBounds, atMs: number): void {
    const { together } = bounds
    if (together.limits.length === 0) return this.#count(bounds, 'admitted', null)
    const countable = { client: this.#clientOf(''), who: nobody, ...unrecorded, route: together.name }
    this.#count(bounds, this.#decide({ bounds: together, countable, atMs, ...unrecordedEnd }), null)
  }

  #replay(request: LoggedRequest): void {
    const client = this.#clientOf(request.address)
    const { method, host, status, durationMs } = request
    const target = normaliseTarget(request.target)
    const path = typeof target === 'string' ? '/' : target.path
    const bounds = this.#bounded(this.#routes.find(method, host, path))
    const isTimed = durationMs !== null
    this.#noteLeases(bounds, isTimed)
    const own = boundsFor(bounds, { isUpgrade: status === 101, isTimed })
    const countable: Countable = { client, ...saidOf(request), route: own.name, host, method }
    const atMs = this.#byStart === null ? request.atMs : startOf(request)
    const endMs = isTimed ? request.atMs : null
    this.#count(bounds, this.#decide({ bounds: own, countable, atMs, endMs, status }), client)
  }

  /** Null: no route matches. */
  #bounded(bounds: PastBounds | null): PastBounds {
    if (bounds === null) this.#counts.missed++
    return bounds ?? this.#routes.unmatched
  }

  #noteLeases({ leases }: PastBounds, isTimed: boolean): void {
    if (leases.length === 0) return
    this.#counts[isTimed ? 'timed' : 'timeless']++
    if (!isTimed) for (const limit of leases) this.#passedOver.add(limit)
  }

  /** `client`: who is known to have sent it. */
  #count({ slot }: PastBounds, verdict: Verdict, client: Client | null): void {
    const counts = this.#counts
    counts.requests++
    this.#cameBy.add(slot)
    if (verdict === 'waits') counts.waited++
    if (verdict === 'refused') counts.refused++
    if (client !== null) {
      if (this.#addresses.size < mostAddresses) this.#addresses.add(client.key)
      const isRemembered = verdict === 'refused' && this.#refusedAddresses.size < mostAddresses
      if (isRemembered) this.#refusedAddresses.add(client.key)
    }
    if (counts.requests % sumEvery === 0) this.#sum()
  }

  #decide(past: Past): Verdict {
    const { bounds, countable, atMs, endMs, status } = past
    this.#held.advance(atMs)
    if (isAllowed(bounds, countable)) return 'admitted'
    if (this.#errors.refusalFor(countable, atMs) !== null) return 'refused'
    const { refusedBy, retryAfterMs, lease } = admit(this.#limiter, bounds, { countable, nowMs: atMs })
    if (lease !== null) this.#held.hold(lease, endMs ?? atMs)
    if (refusedBy === null) {
      // 429 is what a limit answered then: no error that the limits of errors count.
      if (status >= 400 && status !== 429) this.#errors.charge(countable, atMs)
      return 'admitted'
    }
    const queue = refusedBy.parsed.queue
    return queue !== null && retryAfterMs <= queue.patienceMs ? 'waits' : 'refused'
  }

  #clientOf(address: string): Client {
    const known = this.#clients.get(address)
    if (known !== undefined) return known
    if (this.#clients.size >= mostClients) this.#clients.clear()
    const client = directClient(address)
    this.#clients.set(address, client)
    return client
  }

  #sum(): void {
    const most = { offenders: mostSums, nearMisses: 0 }
    this.#sums = mergeOffenders([this.#sums, nameOffenders(this.#book, this.#policy)], most)
  }
}

/** What a roll-up does not know of a request; what counts by it is passed over. */
const unrecorded: Pick<Countable, 'host' | 'method' | 'head'> = { host: '', method: '', head: { fields: [] } }
const unrecordedEnd = { endMs: null, status: 0 } as const

/** What a log says about who sent a request. */
function saidOf({ user, userAgent }: LoggedRequest): Pick<Countable, 'who' | 'head'> {
  return {
    who: user === '' ? nobody : { ...nobody, user: `user:${user}` },
    head: { fields: userAgent === '' ? [] : ['user-agent', userAgent] },
  }
}

function boundsFor(
  { whole, wholeUpgrade, lasting, lastingUpgrade }: PastBounds,
  { isUpgrade, isTimed }: { readonly isUpgrade: boolean; readonly isTimed: boolean },
): Bounds {
  if (isTimed) return isUpgrade ? wholeUpgrade : whole
  return isUpgrade ? lastingUpgrade : lasting
}

/** Who proved to be this, as `user:42`. */
function identityOf(who: string): Identity {
  const kind = (['user', 'key', 'passport'] as const).find((each) => who.startsWith(`${each}:`))
  return kind === undefined ? nobody : { ...nobody, [kind]: who }
}

function isAllowed({ allow }: Bounds, { client, who }: Countable): boolean {
  if (!allow.knowsNoAddress && allow.byAddress(client) === true) return true
  return !allow.knowsNobody && allow.byIdentity(who) === true
}
