import {
  createLimiter,
  restoreTable,
  saveTable,
  type Counts,
  type Limiter,
  type NamedLimit,
  type Restored,
  type Standing,
  type Take,
  type Verdict,
} from '../../../kernel/limit/index.ts'
import { assert, type Random } from '../../../kernel/std/index.ts'
import { fullName, type AppLimit, type WrittenRule } from '../rules.ts'
import type { By } from './command.ts'

/** Accounts (a subject under a rule) that are remembered at once; about 16 bytes each. */
const capacity = 262_144
/** Rules that the table remembers, those of lifted overrides and former environment files included. */
const limitCapacity = 8192
/** Longer than any reservation, which the ledger ends by itself. */
const tableLeaseMs = 86_400_000

/** Rules that decide for one subject instead of the limit's own. */
export interface MeterOverride {
  readonly limit: string
  readonly subject: string
  readonly rule: WrittenRule
}

/** One rule and the account in it that a take is about. */
export interface Charge extends WrittenRule {
  /** Full name of the limit, with the subject when it is an override. */
  readonly name: string
  /** In the limiter. */
  readonly index: number
  /** As `user:42 and guild:7`; empty: everybody. */
  readonly subject: string
}

/** Units of accounts. */
export interface Draw {
  readonly charges: readonly Charge[]
  readonly cost: number
}

/** When something was taken, when its lease was taken or renewed last, and now. */
export interface Times {
  readonly takenAt: number
  readonly leasedAt: number
  readonly at: number
}

/** The limiter of all application limits and overrides; knows names and subjects, not ids and reservations. */
export class Meter {
  declare private readonly limits: readonly AppLimit[]
  declare private readonly seed: readonly [number, number]
  declare private limiter: Limiter
  private indexes: ReadonlyMap<string, number> = new Map()
  private overrides: ReadonlyMap<string, WrittenRule> = new Map()
  /** Time may not be earlier than this. */
  declare readonly savedAtMs: number

  constructor(limits: readonly AppLimit[], random: Random, saved: Restored | null) {
    this.limits = limits
    this.seed = saved?.seed ?? newSeed(random)
    this.savedAtMs = saved?.savedAtMs ?? 0
    this.limiter = this.open([], saved?.buffer)
  }

  /** Makes these overrides hold. What is overridden as before keeps its counts. */
  override(overrides: readonly MeterOverride[]): void {
    const former = this.limiter
    this.overrides = new Map(overrides.map(({ limit, subject, rule }) => [`${limit}\n${subject}`, rule]))
    this.limiter = this.open(overrides, former.buffer)
    former.close()
  }

  /** The accounts that a take is about; null when the override is no longer there. */
  charges(limit: AppLimit, by: By, override: string | null): readonly Charge[] | null {
    if (override === null) return limit.rules.map((written) => this.charge(fullName(limit.name), written, by))
    const rule = this.overrides.get(`${limit.name}\n${override}`)
    return rule === undefined ? null : [this.charge(overrideName(limit.name, override), rule, by)]
  }

  /** Takes from all or from none. */
  take(draws: readonly Draw[], at: number): Verdict {
    const takes = draws.flatMap(({ charges, cost }) => this.takes(charges, cost))
    return this.limiter.take(takes, at)
  }

  /** Gives units back. Of dry runs only what goes on at once: what else they would have refused is not known here. */
  giveBack(charges: readonly Charge[], cost: number, times: Times): void {
    if (cost < 1) return
    const passing = charges.filter(({ rule }) => rule.kind === 'concurrency')
    const lasting = charges.filter(({ rule }) => rule.kind !== 'concurrency' && !rule.dryRun)
    this.limiter.release(this.takes(passing, cost), times.leasedAt, times.at)
    this.limiter.refund(this.takes(lasting, cost), times.takenAt, times.at)
  }

  /** Prolongs what counts at once; from then on `at` is when it was leased. */
  renew(charges: readonly Charge[], cost: number, times: Times): void {
    this.limiter.renew(this.takes(charges, cost), times.leasedAt, times.at)
  }

  /** Looks without taking. */
  standing({ index, subject }: Charge, at: number): Standing {
    return this.limiter.peek(index, this.limiter.hash(subject), at)
  }

  /** What was decided by each rule since the table exists. */
  counts(): readonly (Counts & { readonly name: string; readonly rule: WrittenRule })[] {
    const counts = this.limiter.counters()
    return this.named([...this.overrides].map(([key, rule]) => overrideOf(key, rule))).map(
      ({ name, written }, index) => {
        const found = counts[index]
        assert(found !== undefined, `there are no counts of ${name}`)
        return { ...found, name, rule: written }
      },
    )
  }

  /** The table as bytes. */
  save(at: number): Uint8Array {
    return saveTable(this.limiter.buffer, { seed: this.seed, nowMs: at })
  }

  private charge(name: string, written: WrittenRule, by: By): Charge {
    const index = this.indexes.get(`${name}\n${written.text}`)
    assert(index !== undefined, `the rule ${written.text} of ${name} has no account`)
    return { ...written, name, index, subject: subjectOf(written.rule.per, by) }
  }

  private takes(charges: readonly Charge[], cost: number): Take[] {
    return charges.map(({ index, subject }) => ({ limit: index, key: this.limiter.hash(subject), cost }))
  }

  private named(overrides: readonly MeterOverride[]): { name: string; written: WrittenRule }[] {
    return [
      ...this.limits.flatMap(({ name, rules }) =>
        rules.map((written) => ({ name: fullName(name), written })),
      ),
      ...overrides.map(({ limit, subject, rule }) => ({ name: overrideName(limit, subject), written: rule })),
    ]
  }

  private open(overrides: readonly MeterOverride[], buffer: SharedArrayBuffer | undefined): Limiter {
    const named = this.named(overrides)
    this.indexes = new Map(named.map(({ name, written }, index) => [`${name}\n${written.text}`, index]))
    const options = { ...tableOptions(named), seed: this.seed }
    return createLimiter(buffer === undefined ? options : { ...options, buffer })
  }
}

/** Reads a saved table for these limits, or says why it cannot. */
export function readTable(
  limits: readonly AppLimit[],
  table: Uint8Array,
): Restored | { readonly unusable: string } {
  const named = limits.flatMap(({ name, rules }) =>
    rules.map((written) => ({ name: fullName(name), written })),
  )
  return restoreTable(table, tableOptions(named))
}

function tableOptions(named: readonly { readonly name: string; readonly written: WrittenRule }[]): {
  readonly limits: readonly NamedLimit[]
  readonly capacity: number
  readonly limitCapacity: number
  readonly alone: true
} {
  const limits = named.map(({ name, written: { rule } }) =>
    rule.kind === 'concurrency' ? { name, rule, leaseMs: tableLeaseMs } : { name, rule },
  )
  return { limits, capacity, limitCapacity, alone: true }
}

function overrideName(limit: string, subject: string): string {
  return `${fullName(limit)}@${subject}`
}

function overrideOf(key: string, rule: WrittenRule): MeterOverride {
  const [limit = '', subject = ''] = key.split('\n')
  return { limit, subject, rule }
}

function newSeed(random: Random): readonly [number, number] {
  const bytes = new DataView(Uint8Array.from(random.bytes(8)).buffer)
  return [bytes.getUint32(0), bytes.getUint32(4)]
}

/** Says whom a rule counts: `user:42`, `user:42 and guild:7`; empty for everybody together. */
export function subjectOf(per: readonly string[], by: By): string {
  if (per.length === 1) return `${per[0]}:${by[per[0] ?? '']}`
  return per.map((dimension) => `${dimension}:${by[dimension]}`).join(' and ')
}
