/** What the edge measured of one group since the canaries serve. */
export interface GroupMeasures {
  readonly requests: number
  /** Answers of class 5xx, and those that the edge had to give for it. */
  readonly failures: number
  /** Null: nothing was measured. */
  readonly p95Ms: number | null
}

/** When a new group is worse than the old one. */
export interface JudgeRule {
  /** How long canaries are looked at, milliseconds; 0: not at all. */
  readonly judgeForMs: number
  /** So much higher may its error ratio be, 0 to 1. */
  readonly errorMargin: number
  /** So many times the old one's p95 may its own be, from 1. */
  readonly p95Factor: number
}

/** What came of judging so far. */
export type Verdict =
  | { readonly kind: 'pending' }
  | { readonly kind: 'good'; readonly says: string }
  | { readonly kind: 'worse'; readonly because: string }

/** Fewer requests, or failures, say nothing about errors; nor fewer requests about a 95th percentile. */
const fewestForErrors = 5
const fewestFailures = 3
const fewestForLatency = 100
/** One in twenty good releases may look so bad by chance (one-sided). */
const standardDeviations = 1.645
/** A percentile of a few milliseconds trembles by as much. */
const latencyNoiseMs = 5
/** Who gets no requests for so long has none to be judged by. */
const silenceMs = 3000

const ratioOf = ({ requests, failures }: GroupMeasures): number => (requests === 0 ? 0 : failures / requests)
const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`

/** Whether more of the new group's requests failed than the margin allows and chance explains (two proportions, pooled). */
function failsMore(fresh: GroupMeasures, old: GroupMeasures, { errorMargin }: JudgeRule): boolean {
  if (fresh.requests < fewestForErrors || fresh.failures < fewestFailures) return false
  const difference = ratioOf(fresh) - ratioOf(old)
  if (difference <= errorMargin) return false
  if (old.requests === 0) return true
  const pooled = (fresh.failures + old.failures) / (fresh.requests + old.requests)
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / fresh.requests + 1 / old.requests))
  return difference > standardDeviations * deviation
}

function isSlower(fresh: GroupMeasures, old: GroupMeasures, { p95Factor }: JudgeRule): boolean {
  if (fresh.requests < fewestForLatency || fresh.p95Ms === null || old.p95Ms === null) return false
  return fresh.p95Ms > old.p95Ms * p95Factor + latencyNoiseMs
}

const milliseconds = (value: number | null): string => `${Math.round(value ?? 0)} ms`

/** When the time is over, what is left to look at is whether the new one is slower. */
function judgeAtEnd({ fresh, old }: Sides, rule: JudgeRule): Verdict {
  if (isSlower(fresh, old, rule)) {
    const because = `its p95 is ${milliseconds(fresh.p95Ms)} beside ${milliseconds(old.p95Ms)} of the old one`
    return { kind: 'worse', because }
  }
  const says = `${fresh.requests} requests, ${percent(ratioOf(fresh))} failed, p95 ${milliseconds(fresh.p95Ms)}`
  return { kind: 'good', says }
}

interface Sides {
  readonly fresh: GroupMeasures
  readonly old: GroupMeasures
}

/** Judges a new group beside the old one, both measured over the same time by the edge. */
export function judge({ fresh, old }: Sides, rule: JudgeRule, judgedForMs: number): Verdict {
  if (failsMore(fresh, old, rule)) {
    const because = `${percent(ratioOf(fresh))} of its ${fresh.requests} requests failed, beside ${percent(ratioOf(old))} of the old one's`
    return { kind: 'worse', because }
  }
  const isOver = judgedForMs >= rule.judgeForMs
  const isSilent = judgedForMs >= silenceMs && old.requests === 0
  if (fresh.requests === 0 && (isOver || isSilent)) {
    return { kind: 'good', says: 'there were no requests to judge by' }
  }
  return isOver ? judgeAtEnd({ fresh, old }, rule) : { kind: 'pending' }
}
