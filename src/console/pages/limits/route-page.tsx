import { useMemo, useState, type ReactNode } from 'react'
import { latencyChart, trafficChart } from '../../charts/traffic.ts'
import type { LimitView, RouteView } from '../../data/answers.ts'
import { ranges, useMeasure, type Range } from '../../data/measures.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, Section, Segmented } from '../../parts/basics.tsx'
import { ChartPanel } from '../../parts/chart-panel.tsx'
import { sayRoute, unmatchedRoute } from '../../words/answers.ts'
import { sayLatency, sayRate, sayShare } from '../../words/format.ts'
import { trail } from './limit-page.tsx'
import { LimitTable } from './limit-table.tsx'
import { refusedShare, RouteTable } from './route-table.tsx'

const rangeOptions = [
  { value: '5m', label: '5 min' },
  { value: '1h', label: '1 hour' },
  { value: '24h', label: '24 h' },
] as const satisfies readonly { value: Range; label: string }[]

/** What does this route do, and what bounds it? */
export function RoutePage(props: {
  readonly name: string
  readonly routes: readonly RouteView[]
  readonly limits: readonly LimitView[]
}): ReactNode {
  const { name } = props
  const route = props.routes.find((one) => one.name === name)
  const limits = props.limits.filter((limit) => (limit.route ?? unmatchedRoute) === name)
  if (route === undefined) {
    return (
      <>
        <PageHead
          title={sayRoute(name)}
          trail={trail}
          answer={[{ text: 'There is no such route any more.' }]}
        />
        <Empty says="See which there are:" command="holdfast routes" />
      </>
    )
  }
  const share = refusedShare(route)
  const refuses = share > 0 ? `${sayShare(share)} refused` : 'nothing refused'
  const text = `${sayRate(route.requestsPerSecond)} requests/s, ${refuses}, p95 ${sayLatency(route.p95Ms)}.`
  return (
    <>
      <PageHead
        title={sayRoute(name)}
        trail={trail}
        state={share > 0 ? 'warn' : 'good'}
        answer={[{ text }]}
      />
      <Charts name={name} />
      <Section title="The last minute">
        <RouteTable routes={[route]} />
      </Section>
      <Section title="Limits">
        <LimitTable limits={limits} />
      </Section>
    </>
  )
}

function Charts({ name }: { name: string }): ReactNode {
  const [range, setRange] = useState<Range>('1h')
  const labels = useMemo(() => ({ route: name }), [name])
  const limit = useMemo(
    () => ({ limit: name === unmatchedRoute ? 'edge.unmatched' : `edge.route.${name}` }),
    [name],
  )
  const requests = useMeasure({ name: 'edge.requests', labels, range })
  const refused = useMeasure({ name: 'edge.refused', labels: limit, range })
  const latency = useMeasure({ name: 'edge.latency-ms', labels, range })
  const charts = useMemo(() => {
    const window = { from: requests.until - ranges[range], to: requests.until }
    return [
      trafficChart(requests.data?.series ?? [], refused.data?.series ?? [], window),
      latencyChart(latency.data?.series ?? [], window),
    ]
  }, [requests.data, refused.data, latency.data, requests.until, range])
  return (
    <Section
      title="Traffic"
      aside={<Segmented label="Time shown" options={rangeOptions} value={range} onChange={setRange} />}
    >
      <div className="charts">
        {charts.map((chart) => (
          <ChartPanel key={chart.title} chart={chart} ready={requests.data !== undefined} />
        ))}
      </div>
    </Section>
  )
}
