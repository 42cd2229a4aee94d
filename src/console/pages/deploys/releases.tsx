import type { ReactNode } from 'react'
import type { DeployHistory, EnvironmentStatus } from '../../../contracts/index.ts'
import { usePoll } from '../../data/house.ts'
import { Section, StateWord } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayRelease, sayReleases, stateOfPhase } from '../../words/changes.ts'
import { KeptNames } from './kept-releases.tsx'
import { BackButton } from './rollback.tsx'

type Releases = DeployHistory['releases'][number]
type Service = EnvironmentStatus['services'][number]

/** What runs, what is on the way, and which releases are kept, a line for each service. */
export function Releases({ history, alone }: { history: DeployHistory; alone: boolean }): ReactNode {
  const status = usePoll('environment.status', {}, { periodMs: 2000 }).data
  return (
    <Section title="What runs">
      <Table
        label="Releases"
        columns={columns(history, { services: status?.services ?? [], alone })}
        rows={history.releases}
        rowKey={({ service }) => service}
      />
    </Section>
  )
}

function columns(
  history: DeployHistory,
  { services, alone }: { services: readonly Service[]; alone: boolean },
): readonly Column<Releases>[] {
  const own: readonly Column<Releases>[] = [
    {
      key: 'service',
      label: 'service',
      cell: ({ service }) => <a href={placeOf([alone ? 'services' : 'deploys', service])}>{service}</a>,
    },
    {
      key: 'runs',
      label: 'runs',
      cell: (releases) => {
        const found = services.find(({ name }) => name === releases.service)
        return (found && sayReleases(found)) || sayRelease(releases.running)
      },
    },
    {
      key: 'standing',
      label: 'standing',
      plain: true,
      cell: ({ service }) => <Standing service={services.find(({ name }) => name === service)} />,
    },
    {
      key: 'kept',
      label: 'kept',
      cell: ({ kept }) => <KeptNames kept={kept} />,
    },
  ]
  if (alone) return own
  const back: Column<Releases> = {
    key: 'back',
    label: 'roll back',
    plain: true,
    actions: true,
    cell: (releases) => <BackButton releases={releases} history={history} />,
  }
  return [...own, back]
}

function Standing({ service }: { service: Service | undefined }): ReactNode {
  if (service === undefined) return <span className="soft">not known yet</span>
  const { phase, rollout } = service
  return <StateWord state={stateOfPhase(phase)}>{phase === 'steady' ? phase : rollout || phase}</StateWord>
}
