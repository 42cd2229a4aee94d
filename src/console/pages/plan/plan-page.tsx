import type { ReactNode } from 'react'
import type { Drift, EnvironmentPlan } from '../../../contracts/index.ts'
import { driftFacts, useRefreshOnFacts } from '../../data/follow.ts'
import { useHouse, useNow, usePoll } from '../../data/house.ts'
import { PageHead, type Piece } from '../../parts/answer.tsx'
import { Button, Empty, ErrorNote, Loading, Section, StateWord, type State } from '../../parts/basics.tsx'
import { sayTotals } from '../../words/changes.ts'
import { sayAgo } from '../../words/format.ts'
import { ApplyButton } from './apply.tsx'
import { DriftSection } from './drift.tsx'
import { PlanSteps } from './plan-steps.tsx'

const asked = ['environment.plan', 'environment.drift'] as const

/** What would change if the environment file were applied, and what has drifted from what was? */
export function PlanPage(): ReactNode {
  // Each look evaluates the environment file in a process of its own.
  const plan = usePoll('environment.plan', {}, { periodMs: null })
  const drift = usePoll('environment.drift', {}, { periodMs: null })
  useRefreshOnFacts(driftFacts, asked)
  const { polls } = useHouse()
  const again = (): void => {
    for (const name of asked) polls.refresh(name)
  }
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
        answer={answerOf(plan.data, drift.data)}
        actions={<LookAgain at={plan.at} onLook={again} />}
      />
      <DriftSection drift={drift.data} />
      <PlanSection plan={plan.data} />
    </>
  )
}

/** When the file was looked at, and the way to look again: it may have changed since, and no fact says so. */
function LookAgain({ at, onLook }: { at: number; onLook: () => void }): ReactNode {
  const now = useNow(1000)
  const { connection } = useHouse()
  return (
    <span className="look-again">
      <span className="soft">looked at {sayAgo(at + connection.get().skewMs, now)}</span>
      <Button onClick={onLook}>Look again</Button>
    </span>
  )
}

function stateOf({ steps, destroys }: EnvironmentPlan, drift: Drift | undefined): State {
  if (destroys.length > 0) return 'warn'
  if (steps.length > 0) return 'note'
  return drift === undefined || drift.items.length === 0 ? 'good' : 'warn'
}

function answerOf({ says, steps }: EnvironmentPlan, drift: Drift | undefined): readonly Piece[] {
  const drifted = drift?.items.length ?? 0
  if (steps.length > 0 || drifted === 0) return [{ text: `${says}.` }]
  return [{ text: `The file says nothing new; but ${drift?.says}.` }]
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
      <p className="plan-totals">{sayTotals(plan)}.</p>
      {plan.notes.map((note) => (
        <StateWord key={note} state="warn">
          {note}
        </StateWord>
      ))}
      {plan.destroys.length > 0 && (
        <StateWord state="bad">
          {`The data of ${plan.destroys.join(' and ')} would be lost for good: to apply it, type each name out.`}
        </StateWord>
      )}
      {plan.steps.length === 0 ? (
        <Empty
          says="What the file says is what was applied. Change holdfast.config.ts, then look at the plan here or by"
          command="holdfast environment plan"
        />
      ) : (
        <PlanSteps steps={plan.steps} />
      )}
    </Section>
  )
}
