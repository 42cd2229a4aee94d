import { edgeFacts } from '../../../contracts/edge.ts'
import type { Explanation } from '../../../contracts/limits/explain.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'
import { endOf, holdingsOf } from './holdings.ts'
import { sayExplanation } from './say.ts'
import { findSpells, saidMinutes } from './spells.ts'
import { soughtOf } from './subjects.ts'

/** What is asked. */
export interface Question {
  readonly subject: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Part of a limit's name; absent: any. */
  readonly limit?: string | undefined
}

/** What the answer is made from. */
export interface Evidence {
  /** `limits.refused` of the time around, in any order. */
  readonly refusals: readonly Fact[]
  /** Of `holdingKinds`, oldest first. */
  readonly holdings: readonly Fact[]
  /** `edge.reports-missed` of the time around. */
  readonly missed: readonly Fact[]
  /** What was looked through, milliseconds since the epoch. */
  readonly from: number
  readonly until: number
  readonly reachesBackTo: number | null
  /** The limits that there are now. */
  readonly limits: readonly {
    readonly name: string
    readonly rule: string
    /** How exactly several edges keep it together. */
    readonly shared?: string | undefined
  }[]
  readonly nowMs: number
  /** IANA name of the zone in which times are said. */
  readonly zone: string
}

const mostHoldings = 50
const mostGaps = 20

/** Answers why somebody was refused around a time. Pure. */
export function explain({ subject, at, limit }: Question, evidence: Evidence): Explanation {
  const { from, until, reachesBackTo, nowMs, limits, zone } = evidence
  const sought = soughtOf(subject)
  const isAsked = (name: string): boolean => limit === undefined || name.includes(limit)
  const minutes = saidMinutes(evidence.refusals).filter((each) => each.until > from && each.from < until)
  const spells = findSpells(minutes, {
    at,
    nowMs,
    concerns: (entry) => isAsked(entry.limit) && sought.concerns(entry.subject),
  }).map((spell) => {
    const now = limits.filter(({ name }) => name === spell.limit)
    const shared = now.find(({ rule }) => rule === spell.rule)?.shared
    return { ...spell, allows: now.map(({ rule }) => rule), ...(shared === undefined ? {} : { shared }) }
  })
  const { bans, overrides } = holdingsOf(evidence.holdings, nowMs)
  const matters = (each: (typeof bans | typeof overrides)[number]): boolean =>
    sought.concerns(each.subject) && (each.holds || (each.since < until && endOf(each) > from))
  const answer = {
    subjects: [...sought.subjects],
    at,
    from,
    until,
    reachesBackTo,
    spells,
    gaps: gapsOf(evidence.missed).filter((gap) => gap.until > from && gap.from < until),
    bans: bans.filter(matters).slice(-mostHoldings),
    overrides: overrides.filter((each) => isAsked(each.limit) && matters(each)).slice(-mostHoldings),
  }
  return { says: sayExplanation(subject, answer, { nowMs, zone, minutes }), ...answer }
}

/** The fact is there as soon as reports come again. */
function gapsOf(facts: readonly Fact[]): Explanation['gaps'] {
  return facts.slice(-mostGaps).flatMap(({ at, data }) => {
    const parsed = edgeFacts.reportsMissed.data.safeParse(data)
    return parsed.success ? [{ from: Math.max(0, at - parsed.data.seconds * 1000), until: at }] : []
  })
}
