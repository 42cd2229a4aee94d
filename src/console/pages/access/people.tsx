import type { ReactNode } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { usePoll } from '../../data/house.ts'
import { Empty, ErrorNote, Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'

type Person = Operations['people.list']['output']['people'][number]

/** Who is there, what do they know, and where are they reached? */
export function People(): ReactNode {
  const { data, error } = usePoll('people.list', {}, { periodMs: 60_000 })
  const people = data?.people
  return (
    <Section title="People">
      {error !== undefined && people === undefined && <ErrorNote error={error} />}
      {people?.length === 0 && (
        <Empty
          says="The environment file names nobody yet: add them under “people”."
          command="holdfast reload"
        />
      )}
      {people !== undefined && people.length > 0 && (
        <Table label="People" columns={columns} rows={people} rowKey={({ person }) => person} />
      )}
    </Section>
  )
}

function Reach({ reach, hours }: Pick<Person, 'reach' | 'hours'>): ReactNode {
  const ways = Object.entries(reach)
  return (
    <>
      {ways.map(([how, where]) => (
        <div key={how}>{how === 'email' ? <a href={`mailto:${where}`}>{where}</a> : `${how} ${where}`}</div>
      ))}
      {hours !== null && <div>{hours}</div>}
    </>
  )
}

const columns: readonly Column<Person>[] = [
  {
    key: 'person',
    label: 'person',
    cell: ({ person, name }) => (
      <>
        <span className="code">{person}</span> {name}
      </>
    ),
  },
  { key: 'role', label: 'may', cell: ({ role }) => role },
  { key: 'deeply', label: 'knows deeply', cell: ({ deeply }) => deeply.join(', ') },
  { key: 'broadly', label: 'broadly', cell: ({ broadly }) => broadly.join(', ') },
  { key: 'reach', label: 'reach', cell: ({ reach, hours }) => <Reach reach={reach} hours={hours} /> },
]
