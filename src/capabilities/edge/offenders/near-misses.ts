import type { NearMiss } from '../../../contracts/edge.ts'
import type { EdgeReport } from '../../../contracts/edge-policy.ts'
import type { RefusedEntry } from '../../../contracts/limits.ts'
import { mergeOffenders } from './merge.ts'

/** Who came near a limit lately. */
export interface NearMissBook {
  add(report: Pick<EdgeReport, 'at' | 'offenders' | 'nearMisses'>): void
  /** Of the last hour, nearest first; who was refused by the limit meanwhile is no near miss. */
  recent(nowMs: number): readonly NearMiss[]
}

/** Near misses are kept by spans of so long. */
const spanMs = 300_000
const spans = 12
const mostInSpan = 200
/** Limit and subject of somebody who was refused. */
type Refused = Pick<RefusedEntry, 'limit' | 'rule' | 'subject'>

interface Span {
  readonly at: number
  readonly nearMisses: readonly NearMiss[]
  readonly refused: ReadonlySet<string>
}

const idOf = ({ limit, rule, subject }: Refused): string => `${limit}\n${rule}\n${subject}`

/** Creates an empty book; it holds an hour in twelve spans of bounded size. */
export function createNearMissBook(): NearMissBook {
  let kept: readonly Span[] = []
  return {
    add: ({ at, offenders = [], nearMisses = [] }) => {
      if (offenders.length + nearMisses.length === 0) return
      const start = at - (at % spanMs)
      const before = kept.find((span) => span.at === start) ?? { nearMisses: [], refused: new Set<string>() }
      const rest = kept.filter((span) => span.at !== start)
      const refused = [...before.refused, ...offenders.map(idOf)].slice(-10 * mostInSpan)
      kept = [
        ...rest,
        { at: start, nearMisses: sum([before.nearMisses, nearMisses]), refused: new Set(refused) },
      ]
      kept = kept.slice(-spans)
    },
    recent: (nowMs) => {
      const known = kept.filter(({ at }) => at > nowMs - (spans + 1) * spanMs)
      const refused = new Set(known.flatMap((span) => [...span.refused]))
      return sum(known.map((span) => span.nearMisses)).filter((each) => !refused.has(idOf(each)))
    },
  }
}

function sum(lists: readonly (readonly NearMiss[])[]): readonly NearMiss[] {
  const all = lists.map((nearMisses) => ({ offenders: [], nearMisses }))
  return mergeOffenders(all, { offenders: 0, nearMisses: mostInSpan }).nearMisses
}
