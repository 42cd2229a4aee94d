import type { ReactNode } from 'react'
import { StateWord } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { stateOfService } from '../../words/answers.ts'
import { placeOfDatabase, sayEngine, type DatabaseView } from '../../words/data.ts'
import { sayBytes } from '../../words/format.ts'
import { Users } from './users.tsx'

const columns: readonly Column<DatabaseView>[] = [
  { key: 'name', label: 'database', cell: ({ name }) => <a href={placeOfDatabase(name)}>{name}</a> },
  {
    key: 'engine',
    label: 'engine',
    plain: true,
    cell: (database) => (
      <>
        {sayEngine(database)}
        {!database.managed && <span className="soft"> run by others</span>}
      </>
    ),
  },
  {
    key: 'state',
    label: 'state',
    plain: true,
    cell: ({ state }) => <StateWord state={stateOfService(state)}>{state}</StateWord>,
  },
  { key: 'address', label: 'at', cell: ({ address }) => <span className="place">{address}</span> },
  {
    key: 'names',
    label: 'in it',
    wide: true,
    cell: ({ names }) => (names.length === 0 ? '–' : names.join(', ')),
  },
  {
    key: 'users',
    label: 'used by',
    cell: ({ usedBy }) => <Users objects={[...new Set(usedBy.map(({ object }) => object))]} />,
  },
  { key: 'size', label: 'on disk', number: true, cell: ({ sizeBytes }) => sayBytes(sizeBytes) },
]

/** The databases, each leading to what is known of it and to its facts. */
export function DatabaseTable({ databases }: { databases: readonly DatabaseView[] }): ReactNode {
  return <Table label="Databases" columns={columns} rows={databases} rowKey={({ name }) => name} />
}
