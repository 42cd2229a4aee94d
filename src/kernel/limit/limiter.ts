import { threadId } from 'node:worker_threads'
import { assert } from '../std/index.ts'
import { limitCapacityOf, openAccounts, type Account, type NamedLimit } from './account.ts'
import { attachLayout, createLayout } from './buffer.ts'
import { Charger, longestRefusal, type Charge, type Outcome } from './charge.ts'
import { FastLane, LOST, TimedAccount } from './fast.ts'
import { KeyedHash, seedCheckOf } from './hash.ts'
import { rateStanding, Reader, slotLanes, type Lanes, type Standing } from './peek.ts'
import {
  mostTakes,
  mostWindowCost,
  type KeyHash,
  type Limiter,
  type LimiterOptions,
  type Take,
  type Verdict,
} from './port.ts'
import { counter, Registry, type Counts } from './registry.ts'
import { checkRule } from './notation/rule.ts'
import { Refunder } from './refund/refund.ts'
import { Session } from './session.ts'
import { Table } from './table.ts'

const MOST_CELLS = mostTakes * (1 + mostWindowCost)
const MOST_CAPACITY = 2 ** 26
const LATEST_MS = 2 ** 43
/** After that many lost races over a ring, its old place will do: at worst it refuses. */
const RING_TURNS = 32

/**
 * Creates a limiter, or attaches to another one's buffer.
 *
 * @throws HoldfastError `limit.unreadable` for a rule that cannot be kept, `limit.too-many`, `limit.buffer-mismatch`
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const { capacity, limits } = options
  assert(Number.isInteger(capacity) && capacity >= 1 && capacity <= MOST_CAPACITY, 'capacity of the limiter')
  for (const { name, rule, leaseMs = 1000 } of limits) {
    checkRule(rule, name)
    assert(leaseMs >= 1000 && leaseMs <= 86_400_000, `the lease of ${name} must be 1 s to 1 day`)
  }
  return new SharedLimiter(options)
}

class SharedLimiter implements Limiter {
  declare readonly buffer: SharedArrayBuffer
  declare readonly sizeBytes: number
  declare readonly limits: readonly NamedLimit[]
  declare private readonly keyHash: KeyedHash
  /** Apart from `keyHash`, whose lanes may be in use when the limits are looked up again. */
  declare private readonly names: KeyedHash
  declare private readonly registry: Registry
  declare private readonly table: Table
  declare private readonly fast: FastLane
  declare private readonly session: Session
  declare private readonly charger: Charger
  declare private readonly reader: Reader
  declare private readonly refunder: Refunder
  private accounts: readonly Account[] = []
  /** The rates among them, for the fast way. */
  private timed: readonly (TimedAccount | undefined)[] = []
  private reusesSeen = -1

  constructor(options: LimiterOptions) {
    this.limits = options.limits
    this.keyHash = new KeyedHash(options.seed)
    this.names = new KeyedHash(options.seed)
    const alone = options.alone ?? false
    const owner = alone ? threadId + 1 : 0
    const shape = { capacity: options.capacity, seedCheck: seedCheckOf(options.seed), owner }
    const limitCapacity = limitCapacityOf(options)
    assert(limitCapacity >= 1 && limitCapacity < 2 ** 16, 'limitCapacity must be below 65,536')
    const layout =
      options.buffer === undefined
        ? createLayout({ ...shape, limitCapacity })
        : attachLayout(options.buffer, shape)
    this.buffer = layout.buffer
    this.sizeBytes = layout.buffer.byteLength
    this.registry = new Registry(layout)
    this.table = new Table(layout, this.registry)
    this.fast = new FastLane(layout, alone)
    this.session = new Session(this.table, MOST_CELLS)
    this.charger = new Charger(this.session)
    this.reader = new Reader(this.table)
    this.refunder = new Refunder(this.session, this.reader)
    this.open(0)
  }

  hash(text: string): KeyHash {
    this.keyHash.text(text)
    return joined(this.keyHash)
  }

  hashBytes(bytes: Uint8Array): KeyHash {
    this.keyHash.bytes(bytes)
    return joined(this.keyHash)
  }

  takeText(limit: number, text: string, nowMs: number): number {
    this.keyHash.text(text)
    return this.takeHashed(limit, 1, nowMs)
  }

  takeOne(limit: number, key: KeyHash, nowMs: number): number {
    this.keyHash.low = key | 0
    this.keyHash.high = (key / 2 ** 32) | 0
    return this.takeHashed(limit, 1, nowMs)
  }

  takeUnits({ limit, key, cost = 1 }: Take, nowMs: number): number {
    if (cost === 0) return 0
    assertCost(cost)
    this.keyHash.low = key | 0
    this.keyHash.high = (key / 2 ** 32) | 0
    return this.takeHashed(limit, cost, nowMs)
  }

  take(asked: readonly Take[], nowMs: number): Verdict {
    const takes = counted(asked)
    if (takes.length > mostTakes) assert(false, `at most ${mostTakes} limits on one request`)
    this.prepare(nowMs)
    const charges = this.lock(takes, nowMs)
    let outcomes: readonly Outcome[]
    let refused: number
    try {
      outcomes = charges.map((charge) => this.charger.charge(charge))
      refused = longestRefusal(charges, outcomes)
      if (refused >= 0) this.session.undo(0)
    } finally {
      this.session.end()
    }
    if (refused < 0 && this.session.displaced > 0) this.registry.countDisplaced(this.session.displaced)
    return this.verdict(takes, { outcomes, refused, nowMs })
  }

  release(takes: readonly Take[], takenAtMs: number, nowMs: number): void {
    this.giveBack(takes, takenAtMs, { nowMs, prolong: false })
  }

  refund(takes: readonly Take[], takenAtMs: number, nowMs: number): void {
    this.release(takes, takenAtMs, nowMs)
    for (const { limit, key, cost = 1 } of counted(takes)) {
      this.refunder.refund({ account: this.account(limit), lanes: split(key), cost, takenAtMs, nowMs })
    }
  }

  renew(takes: readonly Take[], takenAtMs: number, nowMs: number): boolean {
    return this.giveBack(takes, takenAtMs, { nowMs, prolong: true })
  }

  peek(limit: number, key: KeyHash, nowMs: number): Standing {
    this.prepare(nowMs)
    return this.reader.standing(this.account(limit), split(key), nowMs)
  }

  peekTaken(limit: number, nowMs: number): Standing {
    const timed = this.timed[limit]
    return timed === undefined || timed.owedTicks < 0
      ? this.peek(limit, joined(this.keyHash), nowMs)
      : rateStanding(timed.account, timed.owedTicks, nowMs)
  }

  counters(): readonly Counts[] {
    return this.accounts.map(({ id }) => this.registry.counts(id))
  }

  displaced(): number {
    return this.registry.displaced()
  }

  close(): void {
    this.registry.close()
  }

  private takeHashed(limit: number, cost: number, nowMs: number): number {
    this.prepare(nowMs)
    const timed = this.timed[limit]
    if (timed === undefined) return this.takeLong(limit, cost, nowMs)
    if (timed.nowMs !== nowMs) timed.advance(nowMs)
    const wait = this.fast.take(timed, this.keyHash, cost)
    return wait === LOST ? this.takeLong(limit, cost, nowMs) : this.settle(timed.account, wait)
  }

  private takeLong(limit: number, cost: number, nowMs: number): number {
    const account = this.account(limit)
    if (account.rule.kind !== 'rate')
      return this.take([{ limit, key: joined(this.keyHash), cost }], nowMs).retryAfterMs
    this.session.begin(nowMs)
    const cell = this.session.add(this.keyHash.low, this.keyHash.high, account)
    this.session.lockWidely()
    const { waitMs } = this.charger.charge({ account, cell, cost, nowMs, ringPlace: 0, ringOffset: 0 })
    this.session.end()
    if (waitMs === 0 && this.session.displaced > 0) this.registry.countDisplaced(this.session.displaced)
    return this.settle(account, waitMs)
  }

  private settle(account: Account, wait: number): number {
    if (wait === 0) this.registry.count(account.id, counter.admitted)
    else if (!account.rule.dryRun) this.registry.count(account.id, counter.refused)
    else {
      this.registry.count(account.id, counter.wouldRefuse)
      return 0
    }
    return wait
  }

  private prepare(nowMs: number): void {
    if (!(nowMs >= 0 && nowMs < LATEST_MS)) assert(false, `${nowMs} is no time for the limiter`)
    if (this.registry.reuses() !== this.reusesSeen) this.open(nowMs)
  }

  private open(nowMs: number): void {
    const [registry, table, hash] = [this.registry, this.table, this.names]
    this.accounts = openAccounts(this.limits, { registry, table, hash, nowMs })
    this.timed = this.accounts.map((account) =>
      account.rule.kind === 'rate' ? new TimedAccount(account) : undefined,
    )
    this.reusesSeen = registry.reuses()
  }

  private account(limit: number): Account {
    const account = this.accounts[limit]
    if (account === undefined) assert(false, `there is no limit ${limit}`)
    return account
  }

  /** Locks all that the takes need, at first where it probably is. */
  private lock(takes: readonly Take[], nowMs: number): readonly Charge[] {
    for (let turn = 0; ; turn++) {
      this.session.begin(nowMs)
      const charges = takes.map((_, index) => this.charge(takes, index, nowMs))
      if (turn > 0 || !this.session.lockNarrowly()) this.session.lockWidely()
      if (turn > RING_TURNS || charges.every((charge) => this.charger.stands(charge))) return charges
      this.session.end()
    }
  }

  private charge(takes: readonly Take[], index: number, nowMs: number): Charge {
    const { limit, key, cost = 1 } = takes[index] ?? noTake
    const account = this.account(limit)
    assertCost(cost)
    const lanes = split(key)
    if (account.rule.kind !== 'window') {
      const cell = this.session.add(lanes.low, lanes.high, account)
      return { account, cell, cost, nowMs, ringPlace: 0, ringOffset: 0 }
    }
    const units = cost > account.rule.count ? 0 : cost
    if (units > mostWindowCost) assert(false, `a window gives at most ${mostWindowCost} at once`)
    const ringPlace = this.reader.ringPlace(account, lanes, nowMs)
    const ringOffset = this.unitsOf(account, key, takes.slice(0, index))
    const cell = this.session.add(lanes.low, lanes.high, account.ring)
    for (let unit = 0; unit < units; unit++) {
      const slot = slotLanes(lanes, (ringPlace + ringOffset + unit) % account.rule.count)
      this.session.add(slot.low, slot.high, account)
    }
    return { account, cell, cost, nowMs, ringPlace, ringOffset }
  }

  /** What earlier takes of the same request want of the same account. */
  private unitsOf({ id }: Account, key: KeyHash, earlier: readonly Take[]): number {
    const same = earlier.filter((take) => take.key === key && this.account(take.limit).id === id)
    return same.reduce((sum, { cost = 1 }) => sum + cost, 0)
  }

  /** Gives leases back and, to prolong them, takes them again in the same step, so that nobody slips in between. */
  private giveBack(
    takes: readonly Take[],
    takenAtMs: number,
    how: { nowMs: number; prolong: boolean },
  ): boolean {
    this.prepare(how.nowMs)
    const leases = counted(takes).filter(({ limit }) => this.account(limit).rule.kind === 'concurrency')
    const charges = this.lock(leases, how.nowMs)
    try {
      const alive = charges.map((charge) => this.charger.giveBack(charge, takenAtMs)).every(Boolean)
      if (how.prolong && alive) for (const charge of charges) this.charger.prolong(charge)
      else if (how.prolong) this.session.undo(0)
      return alive
    } finally {
      this.session.end()
    }
  }

  private verdict(takes: readonly Take[], decision: Decision): Verdict {
    const { outcomes, refused, nowMs } = decision
    const wouldRefuse: number[] = []
    let [tightest, remaining] = [-1, Number.POSITIVE_INFINITY]
    for (let index = 0; index < takes.length; index++) {
      const take = takes[index] ?? noTake
      if (this.countOne(index, take, decision)) wouldRefuse.push(take.limit)
      const left = this.left(take, outcomes[index], nowMs)
      if (left < remaining) [tightest, remaining] = [index, left]
    }
    return {
      admitted: refused < 0,
      refusedBy: limitOf(takes[refused]),
      retryAfterMs: outcomes[refused]?.waitMs ?? 0,
      remaining,
      tightest: limitOf(takes[tightest]),
      resetsAtMs: this.resetOf(takes[tightest], outcomes[tightest], nowMs),
      wouldRefuse,
    }
  }

  /** Counts one limit's part in the decision; true when it is a dry run that would have refused. */
  private countOne(index: number, { limit }: Take, { outcomes, refused }: Decision): boolean {
    const { id, rule } = this.account(limit)
    const isDryRefusal = rule.dryRun && (outcomes[index]?.waitMs ?? 0) > 0
    if (isDryRefusal) this.registry.count(id, counter.wouldRefuse)
    else if (index === refused) this.registry.count(id, counter.refused)
    else if (refused < 0) this.registry.count(id, counter.admitted)
    return isDryRefusal
  }

  private left({ limit, key }: Take, outcome: Outcome | undefined, nowMs: number): number {
    const account = this.account(limit)
    if (account.rule.dryRun) return Number.POSITIVE_INFINITY
    return outcome?.remaining ?? this.reader.windowLeft(account, split(key), nowMs)
  }

  private resetOf(take: Take | undefined, outcome: Outcome | undefined, nowMs: number): number {
    if (take === undefined) return nowMs
    return outcome?.resetsAtMs ?? this.peek(take.limit, take.key, nowMs).resetsAtMs
  }
}

/** What was decided about the takes of one request; `refused` is the index of the decisive take or -1. */
interface Decision {
  readonly outcomes: readonly Outcome[]
  readonly refused: number
  readonly nowMs: number
}

const noTake: Take = { limit: -1, key: 0 }

/** Without those that ask for nothing. */
function counted(takes: readonly Take[]): readonly Take[] {
  return takes.some(({ cost }) => cost === 0) ? takes.filter(({ cost }) => cost !== 0) : takes
}

function assertCost(cost: number): void {
  if (!Number.isInteger(cost) || cost < 1)
    assert(false, `a cost must be a whole number from 0 on, not ${cost}`)
}

function limitOf(take: Take = noTake): number {
  return take.limit
}

function joined({ low, high }: Lanes): KeyHash {
  return high * 2 ** 32 + (low >>> 0)
}

function split(key: KeyHash): Lanes {
  return { low: key | 0, high: (key / 2 ** 32) | 0 }
}
