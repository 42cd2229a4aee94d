import type { Counts, Standing, Take } from '../../../../kernel/limit/index.ts'
import { assert, randomToken } from '../../../../kernel/std/index.ts'
import type { CounterAsk, CounterOutcome } from '../../ports.ts'
import { Breaker } from './breaker.ts'
import type { SharedCounters, SharedLease, SharedParts, SharedTake, SharedVerdict } from './port.ts'
import type { Purse } from './purse.ts'
import { openLimit, type OpenLimit } from './shared-limit.ts'
import { refusal, unhindered, verdictOf } from './verdict.ts'

/** Makes the shared counters of one thread ready; it does not wait for the store. */
export function createSharedCounters(parts: SharedParts): SharedCounters {
  return new Counters(parts)
}

/** When to come again where nothing is admitted without the store. */
const closedRetryMs = 1000

/** A take with all that belongs to it. */
interface Open extends OpenLimit {
  readonly take: SharedTake
  readonly key: string
  readonly cost: number
}

/** When something is asked: by the monotonic clock and by the one on the wall. */
interface Times {
  readonly sinceMs: number
  readonly nowMs: number
}

/** A take that goes to the store. */
interface Asked extends Open {
  readonly purse: Purse | undefined
  readonly ask: CounterAsk
}

class Counters implements SharedCounters {
  readonly #parts: SharedParts
  readonly #limits: readonly OpenLimit[]
  readonly #breaker: Breaker
  /** With a number behind it, a name that no other lease in the world has. */
  readonly #holder: string
  #leases = 0
  /** Leases that were given out, and who else goes on asking. */
  #held = 0
  #isRetired = false

  constructor(parts: SharedParts) {
    const { limits, sharing, clock, random, store } = parts
    const onChange = (isUp: boolean, why: string): void => {
      if (!this.#isRetired) parts.onChange(isUp, why)
    }
    this.#parts = parts
    this.#limits = limits.map((limit) => openLimit(limit, sharing))
    this.#breaker = new Breaker({ clock, random, onChange, probe: () => store.probe() })
    this.#holder = randomToken(random, 9)
  }

  get isUp(): boolean {
    return !this.#breaker.isOpen
  }

  take(takes: readonly SharedTake[], nowMs: number): SharedVerdict | Promise<SharedVerdict> {
    const sinceMs = this.#parts.clock.monotonicMs()
    const opens = this.#open(takes)
    const verdict =
      this.#refusedBefore(opens, { sinceMs, nowMs }) ??
      this.#fromPurses(opens, { sinceMs, nowMs }) ??
      (this.#breaker.isOpen ? this.#alone(opens, nowMs) : null)
    return verdict === null ? this.#fromStore(opens, { sinceMs, nowMs }) : this.#counted(opens, verdict)
  }

  release(lease: SharedLease, nowMs: number): void {
    if (lease.alone.length > 0) this.#parts.alone.release(lease.alone, lease.takenAtMs, nowMs)
    if (lease.asks.length === 0 || this.#breaker.isOpen) return this.#letGo()
    this.#parts.store.release(lease.asks).then(
      () => this.#letGo(),
      (error: unknown) => {
        this.#breaker.failed(error)
        this.#letGo()
      },
    )
  }

  async renew(lease: SharedLease, nowMs: number): Promise<boolean> {
    const { alone, store } = this.#parts
    const isHeld = lease.alone.length === 0 || alone.renew(lease.alone, lease.takenAtMs, nowMs)
    lease.takenAtMs = nowMs
    if (lease.asks.length === 0 || !isHeld) return isHeld
    if (this.#breaker.isOpen) return false
    return await store.renew(lease.asks).catch((error: unknown) => {
      this.#breaker.failed(error)
      return false
    })
  }

  async peek(limit: number, key: string, nowMs: number): Promise<Standing> {
    const { alone, store } = this.#parts
    const [open] = this.#open([{ limit, key }])
    assert(open !== undefined, `there is no shared limit ${limit}`)
    const own = (): Standing => alone.peek(limit, alone.hash(key), nowMs)
    if (this.#breaker.isOpen) return own()
    try {
      const [outcome] = await store.take([{ ...askOf(open, nowMs), want: 0 }])
      const { burst } = open.limit.rule
      const { remaining = 0, waitMs = 0, resetMs = 0 } = outcome ?? {}
      const resetsAtMs = nowMs + resetMs
      return { used: burst - remaining, limit: burst, remaining, retryAfterMs: waitMs, resetsAtMs }
    } catch (error) {
      this.#breaker.failed(error)
      return own()
    }
  }

  counts(): readonly Counts[] {
    return this.#limits.map(({ counts }) => ({ ...counts }))
  }

  forgive(limit: number): void {
    const counts = this.#limits[limit]?.counts
    if (counts !== undefined) counts.refused--
  }

  setPassword(password: string): void {
    this.#parts.store.setPassword(password)
  }

  hold(): () => void {
    this.#held++
    return () => this.#letGo()
  }

  retire(): void {
    if (!this.isUp) this.#parts.onChange(true, '')
    this.#isRetired = true
    if (this.#held === 0) this.close()
  }

  close(): void {
    this.#breaker.close()
    this.#parts.store.close()
  }

  #letGo(): void {
    this.#held--
    if (this.#isRetired && this.#held === 0) this.close()
  }

  /** Looks the limits up; what asks for the same account twice asks once for both. */
  #open(takes: readonly SharedTake[]): readonly Open[] {
    const opens: Open[] = []
    for (const take of takes) {
      const { limit, key, cost = 1 } = take
      const open = this.#limits[limit]
      assert(open !== undefined, `there is no shared limit ${limit}`)
      assert(Number.isInteger(cost) && cost >= 1, `a cost must be a whole number from 1 on, not ${cost}`)
      const twin =
        takes.length === 1 ? -1 : opens.findIndex((each) => each.take.limit === limit && each.key === key)
      const before = opens[twin]
      if (before === undefined) opens.push({ ...open, take, key, cost })
      else opens[twin] = { ...before, cost: before.cost + cost }
    }
    return opens
  }

  #refusedBefore(opens: readonly Open[], { sinceMs, nowMs }: Times): SharedVerdict | null {
    for (const { refusals, key, cost, take } of opens) {
      const found = refusals?.find(key, cost, sinceMs)
      if (found === undefined) continue
      const retryAfterMs = Math.ceil(found.endsMs - sinceMs)
      return refusal(take.limit, { retryAfterMs, remaining: found.remaining }, nowMs)
    }
    return null
  }

  /** Takes from what this thread holds, if it holds enough of everything. */
  #fromPurses(opens: readonly Open[], { sinceMs, nowMs }: Times): SharedVerdict | null {
    let [tightest, remaining] = [-1, Number.POSITIVE_INFINITY]
    for (const { purses, key, cost, take } of opens) {
      const left = (purses?.find(key)?.holds(sinceMs) ?? 0) - cost
      if (left < 0) return null
      if (left < remaining) [tightest, remaining] = [take.limit, left]
    }
    for (const open of opens) this.#spend(open, { sinceMs, nowMs })
    return { ...unhindered(nowMs), remaining, tightest }
  }

  #spend(open: Open, { sinceMs, nowMs }: Times): void {
    const purse = open.purses?.find(open.key)
    purse?.demand(open.cost, sinceMs)
    purse?.spend(open.cost)
    if (purse?.isLow(sinceMs) === true && this.isUp) void this.#fetch(open, purse, { sinceMs, nowMs })
  }

  /** Fills a purse before it is empty; nobody waits for it. */
  async #fetch(open: Open, purse: Purse, { sinceMs, nowMs }: Times): Promise<void> {
    const want = purse.wish(0, sinceMs)
    if (want === 0) return
    await this.#ask([{ ...open, purse, ask: { ...askOf(open, nowMs), cost: 0, want } }], sinceMs)
  }

  async #fromStore(opens: readonly Open[], { sinceMs, nowMs }: Times): Promise<SharedVerdict> {
    const asked = opens.map((open): Asked => {
      const purse = open.purses?.open(open.key, sinceMs)
      purse?.demand(open.cost, sinceMs)
      const want = open.cost + (purse?.wish(open.cost, sinceMs) ?? 0)
      return { ...open, purse, ask: this.#named({ ...askOf(open, nowMs), want }) }
    })
    const outcomes = await this.#ask(asked, sinceMs)
    return this.#counted(
      opens,
      outcomes === null ? this.#alone(opens, nowMs) : verdictOf(asked, outcomes, nowMs),
    )
  }

  /** Asks the store; null when it does not answer. */
  async #ask(asked: readonly Asked[], sinceMs: number): Promise<readonly CounterOutcome[] | null> {
    const asks = asked.map(({ ask }) => ask)
    const fetching = asked.flatMap(({ purse, ask }) =>
      purse !== undefined && ask.want > ask.cost ? [purse] : [],
    )
    for (const purse of fetching) purse.isFetching = true
    try {
      const outcomes = await this.#parts.store.take(asks)
      this.#breaker.succeeded()
      for (const [index, outcome] of outcomes.entries()) this.#keep(asked[index], outcome, sinceMs)
      return outcomes
    } catch (error) {
      this.#breaker.failed(error)
      // It may have been done all the same, only too late.
      const held = asks.filter(({ lease }) => lease !== '')
      if (held.length > 0) this.#parts.store.release(held).catch(() => undefined)
      return null
    } finally {
      for (const purse of fetching) purse.isFetching = false
    }
  }

  /** What was given beyond the cost goes into the purse; what was refused is remembered. */
  #keep(asked: Asked | undefined, outcome: CounterOutcome, sinceMs: number): void {
    if (asked === undefined) return
    const { purse, ask, refusals, key } = asked
    purse?.fill(outcome.granted - ask.cost, sinceMs + this.#parts.sharing.sliceMs)
    if (outcome.waitMs > 0) refusals?.add(key, { ...outcome, cost: ask.cost }, sinceMs)
  }

  /** Decides without the store, as each limit wants it. */
  #alone(opens: readonly Open[], nowMs: number): SharedVerdict {
    const closed = opens.find(({ limit }) => limit.whenDown === 'closed' && !limit.rule.dryRun)
    if (closed !== undefined) {
      return refusal(closed.take.limit, { retryAfterMs: closedRetryMs, remaining: 0 }, nowMs)
    }
    const { alone } = this.#parts
    const takes = opens
      .filter(({ limit }) => limit.whenDown === 'local-share')
      .map(({ take, key, cost }): Take => {
        const most = alone.limits[take.limit]?.rule.burst ?? cost
        return { limit: take.limit, key: alone.hash(key), cost: Math.min(cost, most) }
      })
    if (takes.length === 0) return unhindered(nowMs)
    const verdict = alone.take(takes, nowMs)
    const held = takes.filter(({ limit }) => this.#limits[limit]?.isLease === true)
    if (!verdict.admitted || held.length === 0) return { ...verdict, lease: null }
    return { ...verdict, lease: { asks: [], alone: held, takenAtMs: nowMs } }
  }

  #named(ask: CounterAsk): CounterAsk {
    return ask.form.kind === 'concurrency'
      ? { ...ask, lease: `${this.#holder}.${(this.#leases++).toString(36)}` }
      : ask
  }

  #counted(opens: readonly Open[], verdict: SharedVerdict): SharedVerdict {
    for (const { counts, take } of opens) {
      if (verdict.wouldRefuse.includes(take.limit)) counts.wouldRefuse++
      else if (verdict.admitted) counts.admitted++
      else if (verdict.refusedBy === take.limit) counts.refused++
    }
    if (verdict.lease !== null) this.#held++
    return verdict
  }
}

function askOf({ account, key, formAt, cost, limit }: Open, nowMs: number): CounterAsk {
  const form = formAt(nowMs)
  return { limit: account, key, form, cost, want: cost, isDryRun: limit.rule.dryRun, lease: '' }
}
