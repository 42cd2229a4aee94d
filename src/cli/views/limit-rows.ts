import type { Operations } from '../../contracts/index.ts'
import type { Paper } from '../output/index.ts'

type Limit = Operations['edge.limits']['output']['limits'][number]

function limitState({ dryRun, refused, wouldRefuse }: Limit, paper: Paper): string {
  if (dryRun) return paper.paint('dim', wouldRefuse.lastMinute > 0 ? 'on trial, would bite' : 'on trial')
  return refused.lastMinute > 0 ? paper.paint('warning', 'biting') : 'quiet'
}

/** One limit, of the edge or of applications, as a row. */
export function limitRow(limit: Limit, paper: Paper): readonly string[] {
  const refusals = limit.dryRun ? limit.wouldRefuse : limit.refused
  return [
    limit.route ?? limit.name,
    limit.rule,
    limitState(limit, paper),
    String(limit.admitted.lastMinute),
    String(refusals.lastMinute),
    String(refusals.lastHour),
  ]
}

/** The columns of `limitRow`. */
export const limitColumns = [
  { title: 'WHERE' },
  { title: 'RULE' },
  { title: 'STATE' },
  { title: 'ADMITTED/MIN', align: 'right' },
  { title: 'REFUSED/MIN', align: 'right' },
  { title: 'REFUSED/H', align: 'right' },
] as const
