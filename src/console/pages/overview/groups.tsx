import type { ReactNode } from 'react'
import type { GroupView } from '../../data/answers.ts'
import { Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLatency, sayRate, sayShare } from '../../words/format.ts'

const columns: readonly Column<GroupView>[] = [
  {
    key: 'service',
    label: 'service',
    cell: ({ service }) => (
      <a className="name" href={placeOf(['services', service])}>
        {service}
      </a>
    ),
  },
  {
    key: 'group',
    label: 'group',
    cell: ({ group }) => (group === '' ? '–' : <span className="code">{group}</span>),
  },
  { key: 'requests', label: 'requests/s', number: true, cell: (group) => sayRate(group.requestsPerSecond) },
  { key: 'errors', label: 'failed', number: true, cell: ({ errorShare }) => sayShare(errorShare) },
  { key: 'p95', label: 'p95, first byte', number: true, cell: ({ p95Ms }) => sayLatency(p95Ms) },
]

/** How old and new replicas do beside each other; nothing, unless a service runs in more than one group. */
export function Groups({ groups }: { groups: readonly GroupView[] }): ReactNode {
  if (groups.length === 0) return null
  return (
    <Section title="Old and new replicas">
      <Table
        label="Groups of replicas"
        columns={columns}
        rows={groups}
        rowKey={({ service, group }) => JSON.stringify([service, group])}
      />
    </Section>
  )
}
