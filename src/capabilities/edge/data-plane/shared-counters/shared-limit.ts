import { Calendar, printLimit, type Counts, type Reset } from '../../../../kernel/limit/index.ts'
import type { CounterForm } from '../../ports.ts'
import { assert } from '../../../../kernel/std/index.ts'
import { mostSlice, type Sharing } from './overshoot.ts'
import type { SharedLimit } from './port.ts'
import { Purses } from './purses.ts'
import { Refusals } from './refusals.ts'

/** A shared limit as a thread works with it. */
export interface OpenLimit {
  readonly limit: SharedLimit
  /** What the store counts it under: name, rule and lease, dry run or not, so that a dry run can go live. */
  readonly account: string
  readonly isLease: boolean
  /** How the store counts it at a time of the wall clock. */
  readonly formAt: (nowMs: number) => CounterForm
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
    account: `${name}\n${printLimit({ ...rule, dryRun: false, queue: null })}\n${leaseMs}`,
    isLease: rule.kind === 'concurrency',
    formAt: formsOf(limit),
    purses: most > 0 ? new Purses(most, sharing.sliceMs) : null,
    refusals: rule.kind === 'concurrency' || rule.dryRun ? null : new Refusals(),
    counts: { admitted: 0, refused: 0, wouldRefuse: 0 },
  }
}

function formsOf({ rule, leaseMs = defaultLeaseMs }: SharedLimit): OpenLimit['formAt'] {
  const { kind, count, periodMs, burst, resets } = rule
  switch (kind) {
    case 'rate':
      return always({ kind, count, periodMs, burst })
    case 'window':
      return always({ kind, count, periodMs })
    case 'concurrency':
      return always({ kind, count, leaseMs })
    case 'calendar':
      assert(resets !== null, 'a calendar limit has resets')
      return calendarForms(count, resets)
  }
}

function always(form: CounterForm): OpenLimit['formAt'] {
  return () => form
}

/** The windows around the present one are looked up when it is over, and not for each request. */
function calendarForms(count: number, resets: Reset): OpenLimit['formAt'] {
  const calendar = new Calendar(resets)
  let [fromMs, toMs] = [0, 0]
  let form: CounterForm = { kind: 'calendar', count, resetsMs: [0, 0, 0, 0] }
  return (nowMs) => {
    if (nowMs >= fromMs && nowMs < toMs) return form
    const { startMs, endMs } = calendar.at(nowMs)
    const before = calendar.at(startMs - 1).startMs
    form = { kind: 'calendar', count, resetsMs: [before, startMs, endMs, calendar.at(endMs).endMs] }
    fromMs = startMs
    toMs = endMs
    return form
  }
}
