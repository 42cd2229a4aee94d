import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'
import { createLimiter, parseLimit, type Counts, type Limiter } from '../../../../kernel/limit/index.ts'
import type { Clock } from '../../../../kernel/std/index.ts'
import {
  createRouter,
  directClient,
  nobody,
  normaliseTarget,
  type Client,
  type Countable,
  type Identity,
} from '../../pipeline/index.ts'
import { admit, createBounds, createErrorBook, prepareLimits } from '../limits/index.ts'
import type { Bounds, ErrorBook, PreparedLimit } from '../limits/index.ts'
import { mergeOffenders } from '../../offenders/index.ts'
import { nameOffenders, OffenderBook, Watch } from '../offenders/index.ts'

/** A request as a log knows it. */
export interface LoggedRequest {
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly address: string
  readonly method: string
  /** As asked for, with its query. */
  readonly target: string
  /** Empty: the log does not say. */
  readonly host: string
  /** Empty: nobody. */
  readonly user: string
  readonly userAgent: string
  /** 0: the log does not say. */
  readonly status: number
}

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
  /** Rules of what goes on at once, which a log does not tell. */
  readonly passedOver: readonly string[]
}

/** A policy over which a log is replayed. */
export interface Replay {
  /** Decides about a request at the time of the log. */
  take(request: LoggedRequest): void
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

interface RouteBounds {
  readonly request: Bounds
  readonly upgrade: Bounds
}

class PolicyReplay implements Replay {
  readonly #policy: EdgePolicy
  readonly #limiter: Limiter
  readonly #limits: readonly PreparedLimit[]
  readonly #router
  readonly #unmatched: RouteBounds
  readonly #errors: ErrorBook
  readonly #book = new OffenderBook()
  readonly #clients = new Map<string, Client>()
  readonly #addresses = new Set<string>()
  readonly #refusedAddresses = new Set<string>()
  #sums: ReturnType<typeof mergeOffenders> = { offenders: [], nearMisses: [] }
  #requests = 0
  #refused = 0
  #waited = 0
  #missed = 0

  constructor(policy: EdgePolicy, clock: Clock) {
    this.#policy = policy
    this.#limiter = createLimiter({
      limits: policy.limits.map(({ name, rule }) => ({ name, rule: parseLimit(rule) })),
      capacity: policy.limiterCapacity,
      seed: [1, 2],
      alone: true,
    })
    this.#limits = prepareLimits(policy, this.#limiter, clock)
    const { routes, unmatchedLimits } = policy
    this.#router = createRouter(
      routes.map((route, slot) => {
        const parts = { name: route.name, slot, cost: route.cost, allow: [...policy.allow, ...route.allow] }
        return { route, value: this.#bounds(parts, route.limits) }
      }),
    )
    const rest = { name: '(unmatched)', slot: routes.length, cost: 1, allow: policy.allow }
    this.#unmatched = this.#bounds(rest, unmatchedLimits)
    this.#errors = createErrorBook(this.#limiter, this.#some(policy.errorLimits))
  }

  take(request: LoggedRequest): void {
    const client = this.#clientOf(request.address)
    this.#requests++
    if (this.#addresses.size < mostAddresses) this.#addresses.add(client.key)
    const verdict = this.#decide(request, client)
    if (verdict === 'waits') this.#waited++
    if (verdict === 'refused') {
      this.#refused++
      if (this.#refusedAddresses.size < mostAddresses) this.#refusedAddresses.add(client.key)
    }
    if (this.#requests % sumEvery === 0) this.#sum()
  }

  result(): ReplayResult {
    this.#sum()
    const counts = this.#limiter.counters()
    const limits = this.#policy.limits.map(({ name, rule }, index) => ({
      name,
      rule,
      ...(counts[index] ?? { admitted: 0, refused: 0, wouldRefuse: 0 }),
    }))
    const leases = this.#limits.filter(({ isLease }) => isLease)
    const top = this.#sums.offenders.filter(({ refused }) => refused > 0).slice(0, mostTop)
    return {
      requests: this.#requests,
      refused: this.#refused,
      waited: this.#waited,
      unmatched: this.#missed,
      addresses: this.#addresses.size,
      refusedAddresses: this.#refusedAddresses.size,
      isManyAddresses: this.#addresses.size >= mostAddresses,
      limits: limits.filter((_, index) => this.#limits[index]?.isLease === false),
      top: top.map(({ limit, rule, subject, refused }) => ({ limit, rule, subject, refused })),
      passedOver: leases.map(({ name, rule }) => `${name} (${rule})`),
    }
  }

  #decide(request: LoggedRequest, client: Client): 'admitted' | 'refused' | 'waits' {
    const target = normaliseTarget(request.target)
    const path = typeof target === 'string' ? '/' : target.path
    const route = this.#router.find(request.method, request.host, path)
    if (route === null) this.#missed++
    const both = route ?? this.#unmatched
    const bounds = request.status === 101 ? both.upgrade : both.request
    const who: Identity = request.user === '' ? nobody : { ...nobody, user: `user:${request.user}` }
    if (isAllowed(bounds, client, who)) return 'admitted'
    const fields = request.userAgent === '' ? [] : ['user-agent', request.userAgent]
    const { host, method } = request
    const countable: Countable = { client, who, route: bounds.name, host, method, head: { fields } }
    return this.#ask(bounds, countable, request)
  }

  #ask(bounds: Bounds, countable: Countable, request: LoggedRequest): 'admitted' | 'refused' | 'waits' {
    const { atMs, status } = request
    if (this.#errors.refusalFor(countable, atMs) !== null) return 'refused'
    const { refusedBy, retryAfterMs } = admit(this.#limiter, bounds, { countable, nowMs: atMs })
    if (refusedBy === null) {
      // 429 is what a limit answered then: no error that the limits of errors count.
      if (status >= 400 && status !== 429) this.#errors.charge(countable, atMs)
      return 'admitted'
    }
    const queue = refusedBy.parsed.queue
    return queue !== null && retryAfterMs <= queue.patienceMs ? 'waits' : 'refused'
  }

  #bounds(
    parts: Pick<Bounds, 'name' | 'slot' | 'cost'> & { readonly allow: readonly string[] },
    indexes: readonly number[],
  ): RouteBounds {
    const watch = new Watch(this.#book, this.#limiter, parts.slot)
    const of = (some: readonly number[]): Bounds => {
      const limits = this.#some(some).filter(({ isLease }) => !isLease)
      return createBounds({ ...parts, limits, saysFields: false, watch })
    }
    return { request: of(indexes), upgrade: of([...indexes, ...this.#policy.upgradeLimits]) }
  }

  #some(indexes: readonly number[]): readonly PreparedLimit[] {
    return indexes.flatMap((index) => this.#limits[index] ?? [])
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

function isAllowed({ allow }: Bounds, client: Client, who: Identity): boolean {
  if (!allow.knowsNoAddress && allow.byAddress(client) === true) return true
  return !allow.knowsNobody && allow.byIdentity(who) === true
}
