import type { ReactNode } from 'react'
import type { DeployHistory } from '../../../contracts/index.ts'
import { usePoll } from '../../data/house.ts'
import { PageHead, type Piece } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, type State } from '../../parts/basics.tsx'
import type { PageProps } from '../../parts/page-props.ts'
import { placeOf } from '../../router/router.ts'
import { lockOf, sayLocked } from '../../words/changes.ts'
import { DeployForm } from './deploy-form.tsx'
import { HistoryTable } from './history-table.tsx'
import { Locks } from './locks.tsx'
import { KeptReleases } from './kept-releases.tsx'
import { Releases } from './releases.tsx'
import { BackButton } from './rollback.tsx'
import { UnderWay } from './under-way.tsx'

const trail = (
  <>
    <a href={placeOf(['deploys'])}>Deploys</a>
    <span aria-hidden="true">/</span>
  </>
)

/** What was deployed, how did it go, and what can I go back to? With a name in the path: of this service. */
export function DeploysPage({ rest }: PageProps): ReactNode {
  const [service] = rest
  const input = service === undefined ? {} : { service }
  const history = usePoll('environment.deploys', input, { periodMs: 2000 })
  if (history.data === undefined) {
    const text = history.error === undefined ? 'Looking …' : 'Its deploys cannot be shown.'
    return (
      <>
        <PageHead {...headOf(service)} answer={[{ text }]} />
        {history.error === undefined ? <Loading lines={8} /> : <ErrorNote error={history.error} />}
      </>
    )
  }
  return <Known history={history.data} service={service} />
}

function Known({ history, service }: { history: DeployHistory; service: string | undefined }): ReactNode {
  const only = service === undefined ? undefined : history.releases[0]
  return (
    <>
      <PageHead
        {...headOf(service)}
        state={stateOf(history)}
        answer={answerOf(history, service)}
        actions={only !== undefined && <BackButton releases={only} history={history} />}
      />
      <UnderWay deploys={history.deploys} service={service} />
      {history.releases.length === 0 ? (
        <Empty says="Holdfast runs no service that could be deployed." command="holdfast init" />
      ) : (
        <Releases history={history} alone={only !== undefined} />
      )}
      {only !== undefined && <KeptReleases releases={only} history={history} />}
      <HistoryTable deploys={history.deploys} services={history.releases.map((one) => one.service)} />
      <DeployForm history={history} service={service} />
      <Locks history={history} service={service} />
    </>
  )
}

const headOf = (service: string | undefined): { readonly title: string; readonly trail?: ReactNode } =>
  service === undefined ? { title: 'Deploys' } : { title: service, trail }

function stateOf({ deploys: [last], locks }: DeployHistory): State {
  if (last?.outcome === 'under way') return 'busy'
  // What was given up did no harm to what runs.
  if (last?.outcome === 'rolled back') return 'warn'
  return locks.length > 0 ? 'warn' : 'good'
}

function answerOf({ says, locks }: DeployHistory, service: string | undefined): readonly Piece[] {
  const told = { text: says.replace(/\.?$/, '.') }
  const lock = service === undefined ? locks[0] : lockOf(locks, service)
  if (lock === undefined) return [told]
  return [told, { text: ` Deploys of ${sayLocked(lock.service)} are locked: ${lock.because}.` }]
}
