import type { ReactNode } from 'react'
import type { DeployHistory, Judging } from '../../../contracts/index.ts'
import { Meter, Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { sayCount, sayLatency, sayShare } from '../../words/format.ts'

type Deploy = DeployHistory['deploys'][number]

interface Side extends Readonly<Judging['fresh']> {
  readonly release: string
  readonly what: 'old' | 'new'
}

const failedShare = ({ requests, failures }: Side): number => (requests === 0 ? 0 : failures / requests)

const columns: readonly Column<Side>[] = [
  {
    key: 'release',
    label: 'release',
    cell: ({ release, what }) => (
      <>
        {release} <span className="soft">{what}</span>
      </>
    ),
  },
  { key: 'requests', label: 'requests', number: true, cell: ({ requests }) => sayCount(requests) },
  {
    key: 'failed',
    label: 'failed',
    number: true,
    cell: (side) => (
      <>
        {sayShare(failedShare(side))} <span className="soft">({sayCount(side.failures)})</span>
      </>
    ),
  },
  { key: 'p95', label: 'p95, first byte', number: true, cell: ({ p95Ms }) => sayLatency(p95Ms) },
]

const seconds = (durationMs: number): string => `${Math.round(durationMs / 1000)} s`

/** What the new replicas are judged by: their measures beside those of the old ones, and where the margin is. */
export function JudgingTable({ judging, deploy }: { judging: Judging; deploy: Deploy }): ReactNode {
  const { fresh, old, sinceMs, forMs, errorMargin, p95Factor } = judging
  const rows: readonly Side[] = [
    { ...old, release: deploy.before, what: 'old' },
    { ...fresh, release: deploy.release, what: 'new' },
  ]
  const doneMs = Math.min(sinceMs, forMs)
  return (
    <Section
      title="What it is judged by"
      aside={
        <span className="with-meter">
          <Meter share={forMs === 0 ? 1 : doneMs / forMs} />
          <span>
            {seconds(doneMs)} of {seconds(forMs)}
          </span>
        </span>
      }
    >
      <Table label="Old and new release" columns={columns} rows={rows} rowKey={({ what }) => what} />
      <p className="soft">
        It is given up if {sayShare(errorMargin)} more of its requests fail than of the old one’s and chance
        does not explain it, or if its p95 is more than {p95Factor} times the old one’s.
      </p>
    </Section>
  )
}
