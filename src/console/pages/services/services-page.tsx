import { useMemo, useState, type ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { useNow, usePoll } from '../../data/house.ts'
import { useMeasure } from '../../data/measures.ts'
import type { PageProps } from '../../parts/page-props.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, Section, StateWord } from '../../parts/basics.tsx'
import { Filter } from '../../parts/filter.tsx'
import { placeOf } from '../../router/router.ts'
import { answerServices, illFirst, stateOfService } from '../../words/answers.ts'
import { rankMatches } from '../../words/match.ts'
import { ReplicaTable } from './replica-table.tsx'
import { recentValues } from './replica-values.ts'
import { Release } from './release.tsx'
import { RestartButton } from './restart.tsx'
import { ServicePage } from './service-page.tsx'

type Service = EnvironmentStatus['services'][number]

const filterFrom = 6
const mostShown = 50

/** How are my services, and each of their replicas? With a name in the path: how is this one? */
export function ServicesPage({ rest, query }: PageProps): ReactNode {
  const [name] = rest
  const status = usePoll('environment.status', {}, { periodMs: 2000 })
  const services = status.data?.services
  if (services === undefined) {
    return (
      <>
        <PageHead title={name ?? 'Services'} answer={[{ text: 'Looking …' }]} />
        {status.error === undefined ? <Loading lines={6} /> : <ErrorNote error={status.error} />}
      </>
    )
  }
  if (name !== undefined) return <ServicePage name={name} services={services} query={query} />
  return <AllServices services={services} state={status.data?.state ?? 'starting'} />
}

function AllServices({
  services,
  state,
}: {
  services: readonly Service[]
  state: Service['state']
}): ReactNode {
  const [filter, setFilter] = useState('')
  const found = rankMatches(filter, illFirst(services), ({ name }) => name)
  return (
    <>
      <PageHead title="Services" state={stateOfService(state)} answer={answerServices(services)} />
      {services.length === 0 && (
        <Empty
          says="The environment file describes no service yet. Let Holdfast propose one:"
          command="holdfast init"
        />
      )}
      {services.length >= filterFrom && (
        <Filter label="Filter services" value={filter} onChange={setFilter} count={found.length} />
      )}
      <Groups services={found.slice(0, mostShown)} />
      {found.length > mostShown && (
        <p className="soft">
          {found.length - mostShown} more are not shown, none of them worse than these. Filter by name to see
          them.
        </p>
      )}
    </>
  )
}

function Groups({ services }: { services: readonly Service[] }): ReactNode {
  const cpu = useMeasure({ name: 'environment.cpu', range: '5m' })
  const memory = useMeasure({ name: 'environment.memory-bytes', range: '5m' })
  const now = useNow(1000)
  const values = useMemo(
    () => ({ cpu: recentValues(cpu.data?.series ?? []), memory: recentValues(memory.data?.series ?? []) }),
    [cpu.data, memory.data],
  )
  return services.map((service) => (
    <Section
      key={service.name}
      title={service.name}
      className="service"
      aside={
        <>
          <a href={placeOf(['services', service.name])}>
            {service.command === null ? 'More' : 'Logs and more'}
            <span className="hidden"> on {service.name}</span>
          </a>
          <RestartButton service={service} />
        </>
      }
    >
      <p className="service-says">
        <StateWord state={stateOfService(service.state)}>{service.says}</StateWord>
        <Release service={service} />
        {service.command !== null && <code className="soft wide">{service.command.join(' ')}</code>}
      </p>
      <ReplicaTable service={service} values={values} now={now} />
    </Section>
  ))
}
