import { sayDuration } from '../../kernel/std/index.ts'
import type { Operations } from '../../contracts/index.ts'
import { harmless, sayMoment, table, type Paper } from '../output/index.ts'
import { limitTable } from './limit-table.ts'
import type { Views } from './view.ts'

type Verdict = Operations['limits.take']['output']['verdicts'][number]
type Ban = Operations['limits.bans']['output']['bans'][number]
type Override = Operations['limits.overrides']['output']['overrides'][number]

function verdictLine({ admitted, limit, rule, remaining, because }: Verdict, paper: Paper): string {
  if (!admitted) return `${paper.paint('warning', 'refused')}  ${limit}: ${harmless(because ?? '')}`
  const left = remaining === null ? 'without a bound' : `${remaining} left under ${rule ?? ''}`
  return `${paper.paint('good', 'admitted')} ${limit}: ${left}`
}

const verdictLines = ({ verdicts }: { readonly verdicts: readonly Verdict[] }, paper: Paper) =>
  verdicts.map((verdict) => verdictLine(verdict, paper))

const sayLeft = (until: number, paper: Paper): string => sayDuration(Math.max(0, until - paper.nowMs))

const banRow = ({ subject, until, actor, because }: Ban, paper: Paper) => [
  subject,
  sayLeft(until, paper),
  actor,
  harmless(because),
]

const overrideRow = ({ limit, subject, rule, until, actor, because }: Override, paper: Paper) => [
  limit,
  subject,
  rule,
  sayLeft(until, paper),
  actor,
  harmless(because),
]

const holding = [{ title: 'STILL' }, { title: 'BY' }, { title: 'BECAUSE' }] as const
const banColumns = [{ title: 'SUBJECT' }, ...holding] as const
const overrideColumns = [{ title: 'LIMIT' }, { title: 'SUBJECT' }, { title: 'RULE' }, ...holding] as const

/** How the operations of limits are drawn. */
export const limitsViews = {
  'limits.list': limitTable,
  'limits.take': verdictLines,
  'limits.peek': verdictLines,
  'limits.ban': ({ until }, paper) => [`Banned at every door until ${sayMoment(until, paper.nowMs)}.`],
  'limits.override': ({ until }, paper) => [`That holds until ${sayMoment(until, paper.nowMs)}.`],
  'limits.bans': ({ bans }, paper) =>
    bans.length === 0
      ? ['Nobody is banned.']
      : table(
          banColumns,
          bans.map((ban) => banRow(ban, paper)),
          paper,
        ),
  'limits.overrides': ({ overrides }, paper) =>
    overrides.length === 0
      ? ['There are no overrides.']
      : table(
          overrideColumns,
          overrides.map((override) => overrideRow(override, paper)),
          paper,
        ),
} satisfies Views
