import type { ReactNode } from 'react'
import type { LimitView } from '../../data/answers.ts'
import { StateMark } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLimit } from '../../words/answers.ts'
import { sayCount } from '../../words/format.ts'

/** What a limit is doing, as a word. */
export function LimitState({ limit }: { limit: LimitView }): ReactNode {
  if (limit.dryRun) return <span className="tag">on trial</span>
  if (limit.refused.lastMinute === 0) return null
  return (
    <span className="state state-warn">
      <StateMark state="warn" />
      biting
    </span>
  )
}

const refusedOf = (limit: LimitView): LimitView['refused'] =>
  limit.dryRun ? limit.wouldRefuse : limit.refused

const columns: readonly Column<LimitView>[] = [
  {
    key: 'name',
    label: 'limit',
    cell: ({ name }) => (
      <a className="code" href={placeOf(['limits', 'limit', name])}>
        {sayLimit(name)}
      </a>
    ),
  },
  { key: 'rule', label: 'rule', plain: true, cell: ({ rule }) => rule },
  { key: 'state', label: 'state', plain: true, cell: (limit) => <LimitState limit={limit} /> },
  {
    key: 'admitted',
    label: 'admitted, minute',
    number: true,
    cell: ({ admitted }) => sayCount(admitted.lastMinute),
  },
  {
    key: 'refused',
    label: 'refused, minute',
    number: true,
    cell: (limit) => <Refused limit={limit} count={refusedOf(limit).lastMinute} />,
  },
  {
    key: 'admitted-hour',
    label: 'admitted, hour',
    number: true,
    wide: true,
    cell: ({ admitted }) => sayCount(admitted.lastHour),
  },
  {
    key: 'refused-hour',
    label: 'refused, hour',
    number: true,
    wide: true,
    cell: (limit) => <Refused limit={limit} count={refusedOf(limit).lastHour} />,
  },
]

function Refused({ limit, count }: { limit: LimitView; count: number }): ReactNode {
  if (count === 0) return <span className="soft">0</span>
  if (limit.dryRun) return <span title="would have refused">({sayCount(count)})</span>
  return <b className="bite">{sayCount(count)}</b>
}

/** Every limit: its rule in words, and what it let through and refused. */
export function LimitTable({ limits }: { limits: readonly LimitView[] }): ReactNode {
  return (
    <Table label="Limits" columns={columns} rows={limits} rowKey={({ name, rule }) => `${name} ${rule}`} />
  )
}
