import { printLimit, type Counts } from '../../../../kernel/limit/index.ts'
import type { CounterForm } from '../../ports.ts'
import { mostSlice, type Sharing } from './overshoot.ts'
import type { SharedLimit } from './port.ts'
import { Purses } from './purses.ts'
import { Refusals } from './refusals.ts'

/** A shared limit as a thread works with it. */
export interface OpenLimit {
  readonly limit: SharedLimit
  /** What the store counts it under: name, rule and lease, dry run or not, so that a dry run can go live. */
  readonly account: string
  readonly form: CounterForm
  /** Null: nothing is leased. */
  readonly purses: Purses | null
  /** Null: what is refused may be admitted at any time. */
  readonly refusals: Refusals | null
  readonly counts: { -readonly [Count in keyof Counts]: Counts[Count] }
}

const defaultLeaseMs = 60_000

/** Makes a limit ready. */
export function openLimit(limit: SharedLimit, sharing: Sharing): OpenLimit {
  const { name, rule, leaseMs = defaultLeaseMs } = limit
  const most = mostSlice(rule, { ...sharing, mode: limit.mode ?? sharing.mode })
  return {
    limit,
    account: `${name}\n${printLimit({ ...rule, dryRun: false })}\n${leaseMs}`,
    form: formOf(limit),
    purses: most > 0 ? new Purses(most, sharing.sliceMs) : null,
    refusals: rule.kind === 'concurrency' || rule.dryRun ? null : new Refusals(),
    counts: { admitted: 0, refused: 0, wouldRefuse: 0 },
  }
}

function formOf({ rule, leaseMs = defaultLeaseMs }: SharedLimit): CounterForm {
  const { kind, count, periodMs, burst } = rule
  switch (kind) {
    case 'rate':
      return { kind, count, periodMs, burst }
    case 'window':
      return { kind, count, periodMs }
    case 'concurrency':
      return { kind, count, leaseMs }
  }
}
