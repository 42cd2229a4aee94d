import { useMemo, useState, type ReactNode } from 'react'
import { limitChart } from '../../charts/traffic.ts'
import type { LimitView } from '../../data/answers.ts'
import { ranges, useMeasure, type Range } from '../../data/measures.ts'
import { PageHead, type Piece } from '../../parts/answer.tsx'
import { Empty, Section, Segmented } from '../../parts/basics.tsx'
import { ChartPanel } from '../../parts/chart-panel.tsx'
import { Happened } from '../../parts/facts.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLimit, unmatchedRoute } from '../../words/answers.ts'
import { sayCount, sayShare } from '../../words/format.ts'
import { LimitTable } from './limit-table.tsx'

/** The way back to all limits. */
export const trail = (
  <>
    <a href={placeOf(['limits'])}>Routes and limits</a>
    <span aria-hidden="true">/</span>
  </>
)

const rangeOptions = [
  { value: '5m', label: '5 min' },
  { value: '1h', label: '1 hour' },
  { value: '24h', label: '24 h' },
  { value: '7d', label: '7 days' },
] as const satisfies readonly { value: Range; label: string }[]

function answer(rules: readonly LimitView[]): readonly Piece[] {
  const refused = rules.reduce((sum, rule) => sum + rule.refused.lastMinute, 0)
  const admitted = rules.reduce((most, rule) => Math.max(most, rule.admitted.lastMinute), 0)
  if (rules.every((rule) => rule.dryRun)) {
    const would = rules.reduce((sum, rule) => sum + rule.wouldRefuse.lastHour, 0)
    return [{ text: `Only on trial: it would have refused ${sayCount(would)} requests in the last hour.` }]
  }
  if (refused === 0) return [{ text: `It refuses nobody; ${sayCount(admitted)} passed in the last minute.` }]
  const share = sayShare(refused / (refused + admitted))
  return [{ text: `It bites: ${sayCount(refused)} refused in the last minute, ${share} of what came.` }]
}

/** How does this limit bite? */
export function LimitPage({ name, limits }: { name: string; limits: readonly LimitView[] }): ReactNode {
  const rules = limits.filter((limit) => limit.name === name)
  if (rules.length === 0) {
    return (
      <>
        <PageHead
          title={sayLimit(name)}
          trail={trail}
          answer={[{ text: 'There is no limit of that name any more.' }]}
        />
        <Empty says="See which there are:" command="holdfast limits" />
      </>
    )
  }
  const bites = rules.some((rule) => !rule.dryRun && rule.refused.lastMinute > 0)
  return (
    <>
      <PageHead title={sayLimit(name)} trail={trail} state={bites ? 'warn' : 'good'} answer={answer(rules)} />
      <Use name={name} rules={rules} />
      <Section title={rules.length === 1 ? 'Rule' : 'Rules'}>
        <LimitTable limits={rules} />
      </Section>
      <Happened subject={`limit:${name}`} never="It has not bitten yet." />
    </>
  )
}

/** What tells how a limit is used: of the edge requests by the second, of applications takes by the minute. */
function measuresOf(name: string, rules: readonly LimitView[]) {
  if (!name.startsWith('app.')) {
    // What all rules of the route let through; what one of several admits is no measure of its own.
    const labels = { route: rules[0]?.route ?? unmatchedRoute }
    return {
      admitted: { name: 'edge.requests', labels },
      refused: 'edge.refused',
      unit: 'per-second',
    } as const
  }
  // Whatever is admitted counts under each rule, so one of them says it all.
  const rule = rules.find(({ dryRun }) => !dryRun)?.rule ?? rules[0]?.rule ?? ''
  const labels = { limit: name, rule }
  return {
    admitted: { name: 'limits.admitted', labels },
    refused: 'limits.refused',
    unit: 'per-minute',
  } as const
}

function Use({ name, rules }: { name: string; rules: readonly LimitView[] }): ReactNode {
  const [range, setRange] = useState<Range>('1h')
  const { unit, ...measures } = measuresOf(name, rules)
  const admitted = useMeasure({ ...measures.admitted, range })
  const refused = useMeasure({ name: measures.refused, labels: { limit: name }, range })
  const chart = useMemo(() => {
    const window = { from: admitted.until - ranges[range], to: admitted.until }
    const series = { admitted: admitted.data?.series ?? [], refused: refused.data?.series ?? [] }
    return limitChart(series, window, unit)
  }, [admitted.data, refused.data, admitted.until, range, unit])
  return (
    <Section
      title="Use"
      aside={<Segmented label="Time shown" options={rangeOptions} value={range} onChange={setRange} />}
    >
      <ChartPanel chart={chart} ready={admitted.data !== undefined} />
    </Section>
  )
}
