import { printLimit, type LimitRule } from '../../../../kernel/limit/index.ts'

/** For how long the edge lets a slice be spent, in milliseconds. */
export const edgeSliceMs = 1000

/** How edges share the counters of their limits. */
export interface Sharing {
  /**
   * `exact`: every request asks the store. `lease`: a thread takes slices of a key's rate and spends them itself; other
   * kinds are counted exactly all the same, for they count few.
   */
  readonly mode: 'exact' | 'lease'
  /** How many edges there are, 1 to 1,000. More of them than it says, and the bounds below do not hold. */
  readonly edges: number
  /** Threads that serve in this edge, 1 to 64; other edges may have more or fewer. With 1, the bound holds for any. */
  readonly threads: number
  /** How long a slice may be spent, 100 to 10,000 ms; what is left then is lost. */
  readonly sliceMs: number
}

/** How far beyond its rule a shared limit may go. */
export interface Overshoot {
  /** Units at most beyond what the rule admits, in any period of any length, while the store answers. */
  readonly units: number
  /** The same while the store does not answer and edges count alone by their share, each as `localShare` says. */
  readonly aloneUnits: number
  /** Both in plain words. */
  readonly sentence: string
}

/**
 * The most units of a key that one thread holds at once: its part of the burst, so that all slices together never are
 * more than one burst. 0: nothing is leased.
 */
export function mostSlice({ kind, burst }: LimitRule, { mode, edges, threads }: Sharing): number {
  return mode === 'lease' && kind === 'rate' ? Math.floor(burst / (edges * threads)) : 0
}

/**
 * How far beyond its rule a limit may go.
 *
 * What is admitted in a period was taken from the store in it (as much as the rule admits) or before and was still held
 * when it began: at most all slices, and at most what the rate gave in the time for which a slice may be spent.
 */
export function overshootOf(rule: LimitRule, sharing: Sharing): Overshoot {
  const { edges, threads, sliceMs } = sharing
  const slice = mostSlice(rule, sharing)
  const held = edges * threads * slice
  const gained = rule.periodMs === 0 ? 0 : Math.ceil((rule.count / rule.periodMs) * sliceMs)
  const units = Math.min(held, gained)
  const share = localShare(rule, edges)
  const aloneUnits = Math.max(0, edges * share.burst - rule.burst)
  return { units, aloneUnits, sentence: `${sayShared(rule, sharing, units)} ${sayAlone(share, aloneUnits)}` }
}

function sayShared(rule: LimitRule, sharing: Sharing, units: number): string {
  const all = sharing.edges === 1 ? 'the edge' : `${sharing.edges} edges together`
  const slice = mostSlice(rule, sharing)
  if (slice === 0) return `Counted exactly for ${all}: never more than ${printLimit(rule)}.`
  const slices = `slices of at most ${slice * sharing.threads} for at most ${sharing.sliceMs} ms`
  const holds =
    sharing.edges === 1 ? `The edge holds ${slices}` : `${sharing.edges} edges each hold ${slices}`
  return `${holds}: at most ${units} more than ${printLimit(rule)} in any period.`
}

function sayAlone(share: LimitRule, aloneUnits: number): string {
  const more = aloneUnits === 0 ? '' : `, together at most ${aloneUnits} more`
  return `Without the store each edge keeps ${printLimit(share)}${more}; each change may let one burst more through.`
}

/**
 * The share of a rule that one edge keeps alone: the same pace and burst divided by the edges. What cannot be divided
 * stays 1, for an edge that admits nothing is no use.
 */
export function localShare(rule: LimitRule, edges: number): LimitRule {
  const part = (units: number): number => Math.max(1, Math.floor(units / edges))
  if (rule.kind !== 'rate') return { ...rule, count: part(rule.count), burst: part(rule.count) }
  const { count, periodMs } = slower(rule, edges)
  return { ...rule, count, periodMs, burst: part(rule.burst) }
}

const longestPeriodMs = 366 * 86_400_000

/** As many in a longer time, which divides exactly; where that is longer than a rule may be, fewer in the same time. */
function slower({ count, periodMs }: LimitRule, edges: number): Pick<LimitRule, 'count' | 'periodMs'> {
  if (periodMs * edges <= longestPeriodMs) return { count, periodMs: periodMs * edges }
  return { count: Math.max(1, Math.floor(count / edges)), periodMs }
}
