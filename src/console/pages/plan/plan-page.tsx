import type { ReactNode } from 'react'
import type { Drift, EnvironmentPlan } from '../../../contracts/index.ts'
import { useHouse, useNow, usePoll } from '../../data/house.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Button, Empty, ErrorNote, Loading, Section, StateWord, type State } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { sayTotals } from '../../words/changes.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'
import { ApplyButton } from './apply.tsx'
import { PlanSteps } from './plan-steps.tsx'

// Each look evaluates the environment file in a process of its own.
const periodMs = 10_000

/** What would change if the environment file were applied, and what has drifted from what was? */
export function PlanPage(): ReactNode {
  const plan = usePoll('environment.plan', {}, { periodMs })
  const drift = usePoll('environment.drift', {}, { periodMs })
  const { polls } = useHouse()
  const again = (): void => polls.refresh('environment.')
  if (plan.error !== undefined) {
    return (
      <>
        <PageHead title="Plan" state="bad" answer={[{ text: 'The environment file cannot be applied.' }]} />
        <ErrorNote error={plan.error} retry={again} />
        <DriftSection drift={drift.data} />
      </>
    )
  }
  if (plan.data === undefined) {
    return (
      <>
        <PageHead title="Plan" answer={[{ text: 'Looking …' }]} />
        <Loading lines={8} />
      </>
    )
  }
  return (
    <>
      <PageHead
        title="Plan"
        state={stateOf(plan.data, drift.data)}
        answer={[{ text: `${plan.data.says}.` }]}
        actions={<Button onClick={again}>Look again</Button>}
      />
      <DriftSection drift={drift.data} />
      <PlanSection plan={plan.data} />
    </>
  )
}

function stateOf({ steps, destroys }: EnvironmentPlan, drift: Drift | undefined): State {
  if (destroys.length > 0) return 'warn'
  if (steps.length > 0) return 'note'
  return drift === undefined || drift.items.length === 0 ? 'good' : 'warn'
}

function PlanSection({ plan }: { plan: EnvironmentPlan }): ReactNode {
  return (
    <Section
      title="Plan"
      aside={
        <>
          <span className="soft">
            hash <code>{plan.hash}</code>
          </span>
          {plan.steps.length > 0 && <ApplyButton plan={plan} />}
        </>
      }
    >
      {plan.steps.length === 0 ? (
        <Empty
          says="What runs is what the file says. Change holdfast.config.ts, then look at the plan here or by"
          command="holdfast environment plan"
        />
      ) : (
        <PlanSteps steps={plan.steps} />
      )}
      <p className="soft">{sayTotals(plan)}.</p>
      {plan.notes.map((note) => (
        <StateWord key={note} state="warn">
          {note}
        </StateWord>
      ))}
    </Section>
  )
}

const columns = (now: number): readonly Column<Drift['items'][number]>[] => [
  { key: 'object', label: 'what', cell: ({ object }) => <StateWord state="warn">{object}</StateWord> },
  { key: 'says', label: 'how it differs', plain: true, cell: ({ says }) => says },
  {
    key: 'since',
    label: 'since',
    number: true,
    cell: ({ since }) => (since === null ? '–' : <time title={sayMoment(since)}>{sayAgo(since, now)}</time>),
  },
]

function DriftSection({ drift }: { drift: Drift | undefined }): ReactNode {
  const now = useNow(1000)
  if (drift === undefined) return null
  return (
    <Section title="Drift">
      <StateWord state={drift.items.length === 0 ? 'good' : 'warn'}>{drift.says}.</StateWord>
      {drift.items.length > 0 && (
        <Table label="Drift" columns={columns(now)} rows={drift.items} rowKey={({ object }) => object} />
      )}
    </Section>
  )
}
