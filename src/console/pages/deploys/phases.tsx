import type { ReactNode } from 'react'
import { StateMark, type State } from '../../parts/basics.tsx'
import type { DeployPhase } from '../../words/phases.ts'

const marks: Readonly<Record<DeployPhase['state'], State>> = { done: 'good', now: 'busy', next: 'idle' }

/** The parts of a deploy in a row: what is done, what goes on, what is to come. */
export function Phases({ phases }: { phases: readonly DeployPhase[] }): ReactNode {
  return (
    <ol className="phases" aria-label="Parts of the deploy">
      {phases.map(({ name, state }) => (
        <li key={name} className={`phase phase-${state}`} aria-current={state === 'now' ? 'step' : undefined}>
          <StateMark state={marks[state]} label={state} />
          <span>{name}</span>
        </li>
      ))}
    </ol>
  )
}
