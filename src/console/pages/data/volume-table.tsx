import type { ReactNode } from 'react'
import { useNow } from '../../data/house.ts'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOfVolume, type VolumeView } from '../../words/data.ts'
import { sayAgo, sayBytes, sayMoment } from '../../words/format.ts'
import { Users } from './users.tsx'

const columns = (now: number): readonly Column<VolumeView>[] => [
  { key: 'name', label: 'volume', cell: ({ name }) => <a href={placeOfVolume(name)}>{name}</a> },
  {
    key: 'sharing',
    label: 'shared',
    plain: true,
    cell: ({ named, exclusive }) =>
      named ? (
        (exclusive ?? false) ? (
          'one replica at a time'
        ) : (
          'shared by replicas'
        )
      ) : (
        <span className="tag tag-warn">left over</span>
      ),
  },
  { key: 'place', label: 'at', cell: ({ place }) => <span className="place">{place}</span> },
  {
    key: 'users',
    label: 'used by',
    cell: ({ usedBy }) => <Users objects={usedBy.map((service) => `service ${service}`)} />,
  },
  {
    key: 'since',
    label: 'since',
    number: true,
    cell: ({ since }) => (since === null ? '–' : <time title={sayMoment(since)}>{sayAgo(since, now)}</time>),
  },
  { key: 'size', label: 'size', number: true, cell: ({ sizeBytes }) => sayBytes(sizeBytes) },
]

/** The volumes, each leading to what is known of it and to its facts. */
export function VolumeTable({ volumes }: { volumes: readonly VolumeView[] }): ReactNode {
  const now = useNow(10_000)
  return <Table label="Volumes" columns={columns(now)} rows={volumes} rowKey={({ name }) => name} />
}
