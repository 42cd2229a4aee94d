import type { ReactNode } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { usePoll } from '../../data/house.ts'
import { Empty, ErrorNote, Loading, Meter, Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLimit } from '../../words/answers.ts'
import { sayShare } from '../../words/format.ts'
import { SubjectLink } from './subject-link.tsx'

type Near = Operations['edge.near-misses']['output']['nearMisses'][number]

const mostShown = 10

const columns: readonly Column<Near>[] = [
  { key: 'subject', label: 'subject', cell: ({ subject }) => <SubjectLink subject={subject} /> },
  {
    key: 'limit',
    label: 'of',
    cell: ({ limit }) => (
      <a className="code" href={placeOf(['limits', 'limit', limit])}>
        {sayLimit(limit)}
      </a>
    ),
  },
  { key: 'rule', label: 'rule', plain: true, cell: ({ rule }) => rule },
  {
    key: 'share',
    label: 'in use',
    number: true,
    cell: ({ share }) => (
      <>
        <Meter share={share} /> {sayShare(share)}
      </>
    ),
  },
]

/** Who had most of a limit in use and was not refused: whom would a tighter limit meet first? */
export function NearMisses(): ReactNode {
  const { data, error } = usePoll('edge.near-misses', {}, { periodMs: 5000 })
  const list = data?.nearMisses ?? []
  return (
    <Section title="Near misses" aside={<span className="soft">80 % in use, not refused</span>}>
      {data === undefined && (error === undefined ? <Loading /> : <ErrorNote error={error} />)}
      {data !== undefined && list.length === 0 && (
        <Empty
          says="Nobody came near a limit of the edge in the last hour."
          command="holdfast edge near-misses"
        />
      )}
      {list.length > 0 && (
        <Table
          label="Near misses"
          columns={columns}
          rows={list.slice(0, mostShown)}
          rowKey={({ subject, limit, rule }) => `${subject} ${limit} ${rule}`}
        />
      )}
    </Section>
  )
}
