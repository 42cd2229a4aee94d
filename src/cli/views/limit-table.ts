import type { Operations } from '../../contracts/index.ts'
import { harmless, table, type Paper } from '../output/index.ts'

type Limit = Operations['edge.limits']['output']['limits'][number]

function limitState({ dryRun, refused, wouldRefuse }: Limit, paper: Paper): string {
  if (dryRun) return paper.paint('dim', wouldRefuse.lastMinute > 0 ? 'on trial, would bite' : 'on trial')
  return refused.lastMinute > 0 ? paper.paint('warning', 'biting') : 'quiet'
}

function limitRow(limit: Limit, paper: Paper): readonly string[] {
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

const limitColumns = [
  { title: 'WHERE' },
  { title: 'RULE' },
  { title: 'STATE' },
  { title: 'ADMITTED/MIN', align: 'right' },
  { title: 'REFUSED/MIN', align: 'right' },
  { title: 'REFUSED/H', align: 'right' },
] as const

/** Limits, of the edge or of applications, under what is said of them all. */
export function limitTable(
  { says, limits }: { readonly says: string; readonly limits: readonly Limit[] },
  paper: Paper,
): readonly string[] {
  const rows = limits.map((limit) => limitRow(limit, paper))
  return [paper.paint('strong', harmless(says)), '', ...table(limitColumns, rows, paper)]
}
