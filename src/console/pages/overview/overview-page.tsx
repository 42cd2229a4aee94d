import { useMemo, useState, type ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { latencyChart, trafficChart } from '../../charts/traffic.ts'
import { driftFacts, useRefreshOnFacts } from '../../data/follow.ts'
import { useNow, usePoll } from '../../data/house.ts'
import { fittingRange, ranges, useMeasure, type Range } from '../../data/measures.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, Section, Segmented } from '../../parts/basics.tsx'
import { ChartPanel } from '../../parts/chart-panel.tsx'
import { FactList } from '../../parts/facts.tsx'
import { placeOf } from '../../router/router.ts'
import {
  answerOverview,
  bitingLimits,
  runningSince,
  stateOfService,
  type OverviewScene,
} from '../../words/answers.ts'
import { sayCount, sayRate, sayShare, sayLatency } from '../../words/format.ts'
import { BitingLimits } from './biting-limits.tsx'
import { Groups } from './groups.tsx'
import { ServiceStrip } from './service-strip.tsx'

const rangeOptions = [
  { value: '5m', label: '5 min' },
  { value: '1h', label: '1 hour' },
  { value: '24h', label: '24 h' },
] as const satisfies readonly { value: Range; label: string }[]

/** Is my service up, how much traffic, what is refused, what happened last? */
export function OverviewPage(): ReactNode {
  const status = usePoll('environment.status', {}, { periodMs: 2000 })
  if (status.data === undefined) {
    return (
      <>
        <PageHead title="Overview" answer={[{ text: 'Looking …' }]} />
        {status.error === undefined ? <Loading lines={8} /> : <ErrorNote error={status.error} />}
      </>
    )
  }
  return <Overview status={status.data} />
}

function Overview({ status }: { status: EnvironmentStatus }): ReactNode {
  const traffic = usePoll('edge.traffic', {}, { periodMs: 2000 }).data
  const limits = usePoll('edge.limits', {}, { periodMs: 2000 })
  const biting = bitingLimits(limits.data?.limits ?? [])
  return (
    <>
      <Head status={status} traffic={traffic} limits={limits.data?.limits} />
      <Traffic since={runningSince(status.services)} />
      <ServiceStrip services={status.services} />
      <Groups groups={traffic?.groups ?? []} services={status.services} />
      <div className="columns">
        <Section title="Limits that bite now" aside={<a href={placeOf(['limits'])}>All limits</a>}>
          {limits.error !== undefined && limits.data === undefined && <ErrorNote error={limits.error} />}
          <BitingLimits limits={biting} known={limits.data !== undefined} />
        </Section>
        <LastFacts />
      </div>
      <Notes notes={status.notes} />
    </>
  )
}

function Head(known: Pick<OverviewScene, 'status' | 'traffic' | 'limits'>): ReactNode {
  const deploys = usePoll('environment.deploys', { most: 1 }, { periodMs: 4000 }).data?.deploys
  // Each look evaluates the environment file.
  const drift = usePoll('environment.drift', {}, { periodMs: null }).data
  useRefreshOnFacts(driftFacts, ['environment.drift'])
  const now = useNow(60_000)
  return (
    <PageHead
      title="Overview"
      state={stateOfService(known.status.state)}
      answer={answerOverview({ ...known, deploys, drift, now })}
    />
  )
}

function Notes({ notes }: { notes: readonly string[] }): ReactNode {
  if (notes.length === 0) return null
  return (
    <details className="notes">
      <summary>
        {notes.length === 1
          ? 'One thing that this machine does not permit'
          : `${notes.length} things that this machine does not permit`}
      </summary>
      <ul>
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </details>
  )
}

function Figures(): ReactNode {
  const traffic = usePoll('edge.traffic', {}, { periodMs: 2000 }).data
  const figures: readonly (readonly [string, string, string])[] = [
    ['requests/s', traffic === undefined ? '–' : sayRate(traffic.requestsPerSecond), placeOf(['limits'])],
    ['refused/s', traffic === undefined ? '–' : sayRate(traffic.refusedPerSecond), placeOf(['limits'])],
    [
      'server errors',
      traffic === undefined ? '–' : sayShare(traffic.errorShare),
      placeOf(['timeline'], { severity: 'warning' }),
    ],
    ['p95', traffic === undefined ? '–' : sayLatency(traffic.p95Ms), placeOf(['limits'])],
    ['connections', traffic === undefined ? '–' : sayCount(traffic.connections), placeOf(['limits'])],
  ]
  return (
    <ul className="figures" aria-label="Now">
      {figures.map(([label, value, href]) => (
        <li key={label}>
          <a href={href}>
            <b>{value}</b>
            <span>{label}</span>
          </a>
        </li>
      ))}
    </ul>
  )
}

function Traffic({ since }: { since: number | null }): ReactNode {
  const now = useNow(10_000)
  const [chosen, setRange] = useState<Range | null>(null)
  const range = chosen ?? fittingRange(since, now)
  const requests = useMeasure({ name: 'edge.requests', range })
  const refused = useMeasure({ name: 'edge.refused', range })
  const latency = useMeasure({ name: 'edge.latency-ms', range })
  const traffic = useMemo(() => {
    const window = { from: requests.until - ranges[range], to: requests.until }
    return trafficChart(requests.data?.series ?? [], refused.data?.series ?? [], window)
  }, [requests.data, refused.data, requests.until, range])
  const answer = useMemo(() => {
    const window = { from: latency.until - ranges[range], to: latency.until }
    return latencyChart(latency.data?.series ?? [], window)
  }, [latency.data, latency.until, range])
  return (
    <Section
      title="Traffic"
      aside={<Segmented label="Time shown" options={rangeOptions} value={range} onChange={setRange} />}
    >
      <Figures />
      <div className="charts">
        <ChartPanel chart={traffic} ready={requests.data !== undefined} />
        <ChartPanel chart={answer} ready={latency.data !== undefined} />
      </div>
    </Section>
  )
}

function LastFacts(): ReactNode {
  const facts = usePoll('timeline.read', { limit: 10, severity: 'notice' }, { periodMs: 2000 })
  const now = useNow(1000)
  const newestFirst = useMemo(() => (facts.data?.facts ?? []).toReversed(), [facts.data])
  return (
    <Section title="What happened last" aside={<a href={placeOf(['timeline'])}>Timeline</a>}>
      {facts.error !== undefined && facts.data === undefined && <ErrorNote error={facts.error} />}
      {facts.data !== undefined && newestFirst.length === 0 && (
        <Empty says="Nothing has happened yet." command="holdfast timeline" />
      )}
      <FactList facts={newestFirst} now={now} />
    </Section>
  )
}
