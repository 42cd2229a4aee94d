import { useState, type ReactNode } from 'react'
import { usePoll } from '../../data/house.ts'
import type { PageProps } from '../../parts/page-props.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, Section } from '../../parts/basics.tsx'
import { Filter } from '../../parts/filter.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { rankMatches } from '../../words/match.ts'
import { DangerTag, type Described } from './danger-tag.tsx'
import { OperationPage } from './operation-page.tsx'

/** What can I ask for? With a name in the path: a form that asks for it. */
export function OperationsPage({ rest, query }: PageProps): ReactNode {
  const [name] = rest
  const list = usePoll('operations.list', {}, { periodMs: 60_000 })
  if (list.data === undefined) {
    return (
      <>
        <PageHead title={name ?? 'Operations'} answer={[{ text: 'Looking …' }]} />
        {list.error === undefined ? <Loading lines={10} /> : <ErrorNote error={list.error} />}
      </>
    )
  }
  const operations = list.data.operations.filter(({ permission }) => permission !== 'public')
  if (name === undefined) return <AllOperations operations={operations} />
  const found = operations.find((operation) => operation.name === name)
  return <OperationPage key={name} name={name} operation={found} query={query} />
}

function AllOperations({ operations }: { operations: readonly Described[] }): ReactNode {
  const [filter, setFilter] = useState('')
  const found = rankMatches(filter, operations, ({ name, summary }) => `${name} ${summary}`)
  const permitted = operations.filter((operation) => operation.permitted).length
  const changing = operations.filter(({ danger, permitted }) => permitted && danger !== 'none').length
  const rooms = [...Map.groupBy(found, ({ name }) => name.split('.')[0] ?? '').entries()]
  const text = `You may ask for ${permitted} of ${operations.length} operations; ${changing} of them change something.`
  return (
    <>
      <PageHead title="Operations" answer={[{ text }]} />
      <Filter label="Filter operations" value={filter} onChange={setFilter} count={found.length} />
      {found.length === 0 && <Empty says="No operation is like that." command="holdfast operations" />}
      {rooms.map(([room, ofRoom]) => (
        <Section key={room} title={room}>
          <Table
            label={`Operations of ${room}`}
            className="operations"
            columns={columns}
            rows={ofRoom}
            rowKey={({ name }) => name}
          />
        </Section>
      ))}
    </>
  )
}

const columns: readonly Column<Described>[] = [
  {
    key: 'name',
    label: 'operation',
    cell: ({ name, permitted }) =>
      permitted ? (
        <a className="code" href={placeOf(['operations', name])}>
          {name}
        </a>
      ) : (
        <span className="code soft">{name}</span>
      ),
  },
  { key: 'summary', label: 'what it does', plain: true, cell: ({ summary }) => summary },
  { key: 'danger', label: 'it', plain: true, cell: ({ danger }) => <DangerTag danger={danger} /> },
  { key: 'answers', label: 'answers with', wide: true, cell: ({ answers }) => `a ${answers}` },
  {
    key: 'permission',
    label: 'for those who may',
    wide: true,
    cell: ({ permission, permitted }) => (permitted ? permission : `${permission} (not you)`),
  },
]
