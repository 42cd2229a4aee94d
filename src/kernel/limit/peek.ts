import { debtTicks, startTicks, ticksPerMs, waitMs, type Account } from './account.ts'
import { tallyAt, untilMs } from './calendar/tally.ts'
import { agedLeases, ASK_AGAIN_MS, generationAt, placeOf, tickAt } from './entry.ts'
import type { Owner } from './session.ts'
import { LOCKED, type Table } from './table.ts'

const LOOKS = 10_000

/** The two 32-bit halves of a key. */
export interface Lanes {
  readonly low: number
  readonly high: number
}

/** How an account stands, the same for every kind. */
export interface Standing {
  /** Units in use, rounded up; a dry run of what goes on at once may use more than its limit. */
  readonly used: number
  /** The most units: burst, count of the window, or number at once. */
  readonly limit: number
  /** Units that would be admitted at this instant. */
  readonly remaining: number
  /** Milliseconds after which one unit would be admitted if nobody else came: what `takeOne` would answer. */
  readonly retryAfterMs: number
  /** When it is as if unused if nobody comes, by the caller's clock; the next reset of a calendar limit. */
  readonly resetsAtMs: number
}

/** The key of one place in a window's ring. */
export function slotLanes(lanes: Lanes, slot: number): Lanes {
  return {
    low: lanes.low ^ Math.imul(slot + 1, 0x9e3779b1),
    high: lanes.high ^ Math.imul(slot + 1, 0xc2b2ae3d),
  }
}

function units(used: number, limit: number): Pick<Standing, 'used' | 'limit' | 'remaining'> {
  return { used, limit, remaining: Math.max(0, limit - used) }
}

/** How the account of a rate stands that owes so many ticks. */
export function rateStanding({ plan, rule: { burst } }: Account, debt: number, nowMs: number): Standing {
  const used = Math.min(burst, Math.ceil(debt / plan.costTicks))
  const owed = Math.max(debt, startTicks(plan, nowMs)) + plan.costTicks
  const excess = debt > 0 ? owed - plan.horizonTicks : 0
  return {
    used,
    limit: burst,
    remaining: burst - used,
    retryAfterMs: excess > 0 ? waitMs(plan, excess) : 0,
    resetsAtMs: nowMs + Math.ceil(debt / ticksPerMs(plan)),
  }
}

/** Looks at accounts, one bucket at a time, without changing them. */
export class Reader {
  declare private readonly table: Table

  constructor(table: Table) {
    this.table = table
  }

  /** How an account stands. */
  standing(account: Account, lanes: Lanes, nowMs: number): Standing {
    switch (account.rule.kind) {
      case 'rate':
        return this.rate(account, lanes, nowMs)
      case 'window':
        return this.window(account, lanes, nowMs)
      case 'calendar':
        return this.calendar(account, lanes, nowMs)
      case 'concurrency':
        return this.concurrency(account, lanes, nowMs)
    }
  }

  /** The next place in a window's ring; 0 when nothing is remembered. */
  ringPlace(account: Account, lanes: Lanes, nowMs: number): number {
    return placeOf(this.value({ owner: account.ring, ...lanes }, nowMs) ?? 0)
  }

  /** Units that a window still gives: its places fall idle in the order of the ring, so halving finds the edge. */
  windowLeft(account: Account, lanes: Lanes, nowMs: number): number {
    const first = this.ringPlace(account, lanes, nowMs)
    const { count } = account.rule
    let idle = 0
    let busy = count
    while (idle < busy) {
      const middle = (idle + busy) >> 1
      const slot = slotLanes(lanes, (first + middle) % count)
      if (this.debt(account, slot, nowMs) > 0) busy = middle
      else idle = middle + 1
    }
    return idle
  }

  private rate(account: Account, lanes: Lanes, nowMs: number): Standing {
    return rateStanding(account, this.debt(account, lanes, nowMs), nowMs)
  }

  private window(account: Account, lanes: Lanes, nowMs: number): Standing {
    const { plan, rule } = account
    const next = this.ringPlace(account, lanes, nowMs)
    const owed = this.debt(account, slotLanes(lanes, next), nowMs)
    const newest = slotLanes(lanes, (next + rule.count - 1) % rule.count)
    return {
      ...units(rule.count - this.windowLeft(account, lanes, nowMs), rule.count),
      retryAfterMs: owed > 0 ? waitMs(plan, owed) : 0,
      resetsAtMs: nowMs + Math.ceil(this.debt(account, newest, nowMs) / ticksPerMs(plan)),
    }
  }

  private calendar(account: Account, lanes: Lanes, nowMs: number): Standing {
    const { count } = account.rule
    const { used, endMs } = tallyAt(account, this.value({ owner: account, ...lanes }, nowMs), nowMs)
    const retryAfterMs = used < count ? 0 : untilMs(endMs, nowMs)
    return { ...units(used, count), retryAfterMs, resetsAtMs: endMs }
  }

  private concurrency(account: Account, lanes: Lanes, nowMs: number): Standing {
    const { leaseMs, rule } = account
    const generation = generationAt(leaseMs, nowMs)
    const { current, before } = agedLeases(this.value({ owner: account, ...lanes }, nowMs) ?? 0, generation)
    const generations = current > 0 ? 2 : before > 0 ? 1 : 0
    const restMs = generations === 0 ? 0 : generations * leaseMs - (nowMs % leaseMs)
    return {
      ...units(current + before, rule.count),
      retryAfterMs: current + before < rule.count ? 0 : ASK_AGAIN_MS,
      resetsAtMs: nowMs + Math.ceil(restMs),
    }
  }

  private debt(account: Account, lanes: Lanes, nowMs: number): number {
    const value = this.value({ owner: account, ...lanes }, nowMs)
    return value === undefined ? 0 : debtTicks(account.plan, value, tickAt(account.form, nowMs))
  }

  private value(key: Lanes & { readonly owner: Owner }, nowMs: number): number | undefined {
    const table = this.table
    table.locate(key.low, key.high, key.owner)
    for (const bucket of [table.primary, table.secondary]) {
      table.freshen(bucket, nowMs)
      const place = table.find(bucket, table.tag, key.owner.id)
      if (place >= 0) return this.settled(place)
    }
    return undefined
  }

  /** A value is locked for a microsecond at a time, so a look is worth repeating; then it counts as unused. */
  private settled(place: number): number | undefined {
    for (let turn = 0; turn < LOOKS; turn++) {
      const value = this.table.value(place)
      if (value !== LOCKED) return value
    }
    return undefined
  }
}
