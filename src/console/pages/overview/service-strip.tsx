import { useMemo, type ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { Empty, Section, Spark, StateMark } from '../../parts/basics.tsx'
import { useMeasure } from '../../data/measures.ts'
import { placeOf } from '../../router/router.ts'
import { illFirst, stateOfService } from '../../words/answers.ts'
import { sayBytes, sayCpu } from '../../words/format.ts'
import { recentValues } from '../services/replica-values.ts'

type Service = EnvironmentStatus['services'][number]

const mostShown = 12

/** Every service in a line: state, replicas, CPU and memory; the ill ones first. */
export function ServiceStrip({ services }: { services: readonly Service[] }): ReactNode {
  const cpu = useMeasure({ name: 'environment.cpu', range: '5m' })
  const shown = illFirst(services).slice(0, mostShown)
  const more = services.length - shown.length
  const values = useMemo(() => recentValues(cpu.data?.series ?? []), [cpu.data])
  return (
    <Section title="Services" aside={<a href={placeOf(['services'])}>Replicas and logs</a>}>
      {services.length === 0 && (
        <Empty
          says="The environment file describes no service yet. Let Holdfast propose one:"
          command="holdfast init"
        />
      )}
      <ul className="strip">
        {shown.map((service) => (
          <Strip key={service.name} service={service} values={values(service.name)} />
        ))}
      </ul>
      {more > 0 && (
        <p className="soft strip-more">
          <a href={placeOf(['services'])}>and {more} more</a>, none of them worse than these
        </p>
      )}
    </Section>
  )
}

const sum = (values: readonly (number | null)[]): number | null =>
  values.every((value) => value === null) ? null : values.reduce<number>((a, b) => a + (b ?? 0), 0)

function Strip({ service, values }: { service: Service; values: readonly number[] }): ReactNode {
  const { replicas } = service
  return (
    <li>
      <a className="strip-name" href={placeOf(['services', service.name])}>
        <StateMark state={stateOfService(service.state)} />
        <span>{service.name}</span>
      </a>
      <span className="strip-state">
        {service.state}, {service.healthy} of {service.wanted}
      </span>
      <Spark values={values} />
      <span className="strip-number">
        {service.command !== null && <span className="soft">CPU</span>}
        {service.command === null ? 'external' : sayCpu(sum(replicas.map(({ cpu }) => cpu)))}
      </span>
      <span className="strip-number">
        {service.command !== null && <span className="soft">memory</span>}
        {service.command !== null && sayBytes(sum(replicas.map(({ memoryBytes }) => memoryBytes)))}
      </span>
    </li>
  )
}
