import type { ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import type { GroupView } from '../../data/answers.ts'
import { Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { releaseOfGroup } from '../../words/changes.ts'
import { sayLatency, sayRate, sayShare } from '../../words/format.ts'

type Service = EnvironmentStatus['services'][number]

const columns = (services: readonly Service[]): readonly Column<GroupView>[] => [
  {
    key: 'service',
    label: 'service',
    cell: ({ service }) => (
      <a className="name" href={placeOf(['services', service])}>
        {service}
      </a>
    ),
  },
  { key: 'release', label: 'release', cell: (group) => releaseOfGroup(services, group) || '–' },
  {
    key: 'group',
    label: 'group',
    wide: true,
    cell: ({ group }) => (group === '' ? '–' : <span className="code">{group}</span>),
  },
  { key: 'requests', label: 'requests/s', number: true, cell: (group) => sayRate(group.requestsPerSecond) },
  { key: 'errors', label: 'failed', number: true, cell: ({ errorShare }) => sayShare(errorShare) },
  { key: 'p95', label: 'p95, first byte', number: true, cell: ({ p95Ms }) => sayLatency(p95Ms) },
]

/** How old and new replicas do beside each other; nothing, unless a service runs in more than one group. */
export function Groups({
  groups,
  services,
}: {
  groups: readonly GroupView[]
  services: readonly Service[]
}): ReactNode {
  if (groups.length === 0) return null
  return (
    <Section title="Old and new replicas">
      <Table
        label="Groups of replicas"
        columns={columns(services)}
        rows={groups}
        rowKey={({ service, group }) => JSON.stringify([service, group])}
      />
    </Section>
  )
}
