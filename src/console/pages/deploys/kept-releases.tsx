import type { ReactNode } from 'react'
import type { DeployHistory } from '../../../contracts/index.ts'
import { useNow } from '../../data/house.ts'
import { Empty, Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { sayAgo, sayBytes, sayMoment, sayThings } from '../../words/format.ts'
import { RollbackButton } from './rollback.tsx'

type Releases = DeployHistory['releases'][number]
type Kept = Releases['kept'][number]

/** The releases of a service whose files are kept: where they come from, what becomes of them, and the way back to each. */
export function KeptReleases(props: {
  readonly releases: Releases
  readonly history: DeployHistory
}): ReactNode {
  const { releases, history } = props
  const now = useNow(10_000)
  const { service, kept, most } = releases
  return (
    <Section
      title="Kept releases"
      aside={
        <span className="soft">
          {kept.length} of at most {most}, newest first
        </span>
      }
    >
      {kept.length === 0 ? (
        <Empty
          says={`No release of ${service} is kept yet: its files are taken as they lie in its directory.`}
          command={`holdfast deploy ${service} --version 1.0.0`}
        />
      ) : (
        <Table
          label={`Kept releases of ${service}`}
          columns={columns(releases, history, now)}
          rows={kept}
          rowKey={({ release }) => release}
        />
      )}
    </Section>
  )
}

function columns(releases: Releases, history: DeployHistory, now: number): readonly Column<Kept>[] {
  return [
    { key: 'release', label: 'release', cell: ({ release }) => release },
    {
      key: 'standing',
      label: 'standing',
      plain: true,
      cell: (one) => <Fate one={one} releases={releases} />,
    },
    { key: 'source', label: 'from', cell: ({ source }) => source },
    {
      key: 'at',
      label: 'stored',
      number: true,
      cell: ({ at }) => <time title={sayMoment(at)}>{sayAgo(at, now)}</time>,
    },
    { key: 'files', label: 'files', number: true, cell: ({ files }) => files },
    { key: 'size', label: 'size', number: true, cell: ({ sizeBytes }) => sayBytes(sizeBytes) },
    {
      key: 'back',
      label: 'roll back',
      plain: true,
      actions: true,
      cell: ({ release, good }) =>
        good &&
        release !== releases.running && (
          <RollbackButton releases={releases} to={release} label="Go back" history={history} />
        ),
    },
  ]
}

/** What is to be said of a release: it runs, it was no good, it goes with the next deploy. */
function Fate({ one, releases }: { one: Kept; releases: Releases }): ReactNode {
  const { release, good, goesNext } = one
  const runs = release === releases.running
  if (!runs && good && !goesNext) return null
  return (
    <span className="tags">
      {runs && <span className="tag tag-good">{good ? 'runs' : 'on its way'}</span>}
      {!runs && !good && <span className="tag tag-bad">did not last</span>}
      {goesNext && <span className="tag tag-warn">goes with the next deploy</span>}
    </span>
  )
}

/** How many releases are kept, in a word with their names. */
export function KeptNames({ kept }: Pick<Releases, 'kept'>): ReactNode {
  if (kept.length === 0) return <span className="soft">none</span>
  const size = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return (
    <span title={`${sayThings(kept.length, 'release')}, ${sayBytes(size)}`}>
      {kept.map(({ release }) => release).join(', ')}
    </span>
  )
}
