import { useState, type ReactNode } from 'react'
import { usePoll } from '../../data/house.ts'
import type { LimitView, RouteView } from '../../data/answers.ts'
import type { PageProps } from '../../parts/page-props.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, Section } from '../../parts/basics.tsx'
import { Filter } from '../../parts/filter.tsx'
import { placeOf } from '../../router/router.ts'
import { answerLimits, bitingLimits } from '../../words/answers.ts'
import { rankMatches } from '../../words/match.ts'
import { ExplainPage } from '../refusals/explain-page.tsx'
import { Bans, Overrides } from '../refusals/holdings.tsx'
import { NearMisses } from '../refusals/near-misses.tsx'
import { Offenders } from '../refusals/offenders.tsx'
import { LimitPage } from './limit-page.tsx'
import { LimitTable } from './limit-table.tsx'
import { RoutePage } from './route-page.tsx'
import { RouteTable } from './route-table.tsx'

const filterFrom = 8
const mostShown = 100

/**
 * What bounds each route, which bounds are reached, and by whom? `limit/<name>` and `route/<name>` look closer, `explain`
 * says why somebody was refused.
 */
export function LimitsPage({ rest }: PageProps): ReactNode {
  return rest[0] === 'explain' ? <ExplainPage /> : <LimitViews rest={rest} />
}

function LimitViews({ rest }: Pick<PageProps, 'rest'>): ReactNode {
  const routes = usePoll('edge.routes', {}, { periodMs: 2000 })
  const limits = usePoll('limits.list', {}, { periodMs: 2000 })
  const error = routes.error ?? limits.error
  if (routes.data === undefined || limits.data === undefined) {
    return (
      <>
        <PageHead title="Routes and limits" answer={[{ text: 'Looking …' }]} />
        {error === undefined ? <Loading lines={8} /> : <ErrorNote error={error} />}
      </>
    )
  }
  const [what, name] = rest
  if (what === 'limit' && name !== undefined) return <LimitPage name={name} limits={limits.data.limits} />
  if (what === 'route' && name !== undefined) {
    return <RoutePage name={name} routes={routes.data.routes} limits={limits.data.limits} />
  }
  return <AllLimits routes={routes.data.routes} limits={limits.data.limits} />
}

function AllLimits(props: { routes: readonly RouteView[]; limits: readonly LimitView[] }): ReactNode {
  const [filter, setFilter] = useState('')
  const routes = rankMatches(filter, props.routes, ({ name, to }) => `${name} ${to}`)
  const limits = rankMatches(filter, props.limits, ({ name, rule }) => `${name} ${rule}`)
  const biting = bitingLimits(props.limits).length > 0
  return (
    <>
      <PageHead
        title="Routes and limits"
        state={biting ? 'warn' : 'good'}
        answer={answerLimits(props.routes, props.limits)}
        actions={<a href={placeOf(['limits', 'explain'])}>Why was somebody refused?</a>}
      />
      {props.routes.length >= filterFrom && (
        <Filter
          label="Filter routes and limits"
          value={filter}
          onChange={setFilter}
          count={routes.length + limits.length}
        />
      )}
      <Section title="Routes" aside={<span className="soft">the last minute</span>}>
        {props.routes.length === 0 && (
          <Empty
            says="The environment file describes no route yet; the edge serves nothing."
            command="holdfast check"
          />
        )}
        <RouteTable routes={routes.slice(0, mostShown)} />
        <More count={routes.length - mostShown} />
      </Section>
      <Section title="Limits" aside={<span className="soft">admitted and refused</span>}>
        <LimitTable limits={limits.slice(0, mostShown)} />
        <More count={limits.length - mostShown} />
      </Section>
      <Offenders />
      <NearMisses />
      <Bans />
      <Overrides />
    </>
  )
}

function More({ count }: { count: number }): ReactNode {
  return count > 0 ? <p className="soft">{count} more are not shown; filter by name to see them.</p> : null
}
