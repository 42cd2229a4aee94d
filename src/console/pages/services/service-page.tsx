import { useMemo, type ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { replicaChart } from '../../charts/traffic.ts'
import { useNow } from '../../data/house.ts'
import { fittingRange, ranges, useMeasure } from '../../data/measures.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, Section } from '../../parts/basics.tsx'
import { ChartPanel } from '../../parts/chart-panel.tsx'
import { Happened } from '../../parts/facts.tsx'
import { placeOf } from '../../router/router.ts'
import { answerService, runningSince, stateOfService } from '../../words/answers.ts'
import { Logs } from './logs.tsx'
import { ReplicaTable } from './replica-table.tsx'
import { recentValues } from './replica-values.ts'
import { Release } from './release.tsx'
import { RestartButton } from './restart.tsx'

type Service = EnvironmentStatus['services'][number]

const trail = (
  <>
    <a href={placeOf(['services'])}>Services</a>
    <span aria-hidden="true">/</span>
  </>
)

/** How is this service: its replicas, what they use, what they say, what happened to it. */
export function ServicePage(props: {
  readonly name: string
  readonly services: readonly Service[]
  readonly query: URLSearchParams
}): ReactNode {
  const { name, query } = props
  const now = useNow(1000)
  const service = props.services.find((one) => one.name === name)
  if (service === undefined) {
    return (
      <>
        <PageHead
          title={name}
          trail={trail}
          answer={[{ text: 'The environment has no service of that name.' }]}
        />
        <Empty says="See which there are:" command="holdfast status" />
      </>
    )
  }
  return (
    <>
      <PageHead
        title={name}
        trail={trail}
        state={stateOfService(service.state)}
        answer={answerService(service, now)}
        actions={<RestartButton service={service} />}
      />
      {service.command !== null && <Use service={service} now={now} />}
      {service.command !== null && <Logs service={service} replica={query.get('replica') ?? ''} />}
      <Happened subject={`service:${name}`} />
    </>
  )
}

function Use({ service, now }: { service: Service; now: number }): ReactNode {
  const range = fittingRange(runningSince([service]), now)
  const cpu = useMeasure({ name: 'environment.cpu', range })
  const memory = useMeasure({ name: 'environment.memory-bytes', range })
  const charts = useMemo(() => {
    const window = { from: cpu.until - ranges[range], to: cpu.until }
    const own = (data: typeof cpu.data): NonNullable<typeof cpu.data>['series'] =>
      (data?.series ?? []).filter(({ labels }) => labels['replica']?.startsWith(`${service.name}/`))
    return [
      replicaChart(own(cpu.data), { title: 'CPU', unit: 'cores' }, window),
      replicaChart(own(memory.data), { title: 'Memory', unit: 'bytes' }, window),
    ]
  }, [cpu.data, memory.data, cpu.until, service.name, range])
  const values = useMemo(
    () => ({ cpu: recentValues(cpu.data?.series ?? []), memory: recentValues(memory.data?.series ?? []) }),
    [cpu.data, memory.data],
  )
  return (
    <Section title="Replicas" aside={<Release service={service} />}>
      <ReplicaTable service={service} values={values} now={now} />
      <div className="charts charts-even">
        {charts.map((chart) => (
          <ChartPanel key={chart.title} chart={chart} ready={cpu.data !== undefined} low />
        ))}
      </div>
    </Section>
  )
}
