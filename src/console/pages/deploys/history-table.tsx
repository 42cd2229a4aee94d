import type { ReactNode } from 'react'
import type { DeployHistory } from '../../../contracts/index.ts'
import { useNow } from '../../data/house.ts'
import { Empty, Section, StateWord } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { stateOfOutcome } from '../../words/changes.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'

type Deploy = DeployHistory['deploys'][number]

/** The last deploys: what, when, by whom, why, and how it went. */
export function HistoryTable(props: {
  readonly deploys: readonly Deploy[]
  readonly services: readonly string[]
}): ReactNode {
  const now = useNow(1000)
  const [service = '<service>'] = props.services
  return (
    <Section title="Last deploys" aside={<span className="soft">newest first</span>}>
      {props.deploys.length === 0 ? (
        <Empty says="Nothing was deployed yet." command={`holdfast deploy ${service} --version 1.0.0`} />
      ) : (
        <Table
          label="Last deploys"
          className="deploys"
          columns={columns(now)}
          rows={props.deploys}
          rowKey={({ job }) => job}
        />
      )}
    </Section>
  )
}

const columns = (now: number): readonly Column<Deploy>[] => [
  {
    key: 'release',
    label: 'release',
    cell: ({ service, release, before }) => (
      <>
        <a href={placeOf(['deploys', service])}>{service}</a> {release}{' '}
        <span className="soft">after {before}</span>
      </>
    ),
  },
  {
    key: 'outcome',
    label: 'outcome',
    plain: true,
    cell: ({ outcome }) => <StateWord state={stateOfOutcome(outcome)}>{outcome}</StateWord>,
  },
  {
    key: 'when',
    label: 'when',
    plain: true,
    cell: ({ at, job }) => (
      <a href={placeOf(['jobs', job])}>
        <time dateTime={new Date(at).toISOString()} title={sayMoment(at)}>
          {sayAgo(at, now)}
        </time>
      </a>
    ),
  },
  { key: 'by', label: 'by', cell: ({ by }) => by },
  {
    key: 'reason',
    label: 'note and reason',
    plain: true,
    cell: ({ note, says, source }) => (
      <span title={`from ${source}`}>
        {note !== '' && <>“{note}” </>}
        <span className="soft">{says}</span>
      </span>
    ),
  },
]
