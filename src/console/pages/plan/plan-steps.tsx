import type { ReactNode } from 'react'
import type { EnvironmentPlan } from '../../../contracts/index.ts'
import { linesOf, sayAmounts } from '../../words/changes.ts'

type Step = EnvironmentPlan['steps'][number]

const signs: Readonly<Record<Step['verb'], '+' | '~' | '-'>> = {
  create: '+',
  change: '~',
  replace: '~',
  scale: '~',
  remove: '-',
}
const tones = { '+': 'comes', '~': 'changes', '-': 'goes' } as const

/** A plan as a readable difference, in the order of what needs what. */
export function PlanSteps({ steps }: { steps: readonly Step[] }): ReactNode {
  return (
    <ol className="steps">
      {steps.map((step) => (
        <OneStep key={`${step.verb} ${step.object}`} step={step} />
      ))}
    </ol>
  )
}

function OneStep({ step }: { step: Step }): ReactNode {
  const sign = signs[step.verb]
  const amounts = sayAmounts(step)
  const lines = linesOf(step)
  return (
    <li className="step">
      <p className="step-head">
        <span className={`sign sign-${tones[sign]}`} aria-hidden="true">
          {sign}
        </span>
        <b>{step.object}</b>
        <span className="tag">{step.verb}</span>
        <span className="soft">{step.says}</span>
        {amounts !== '' && <span>{amounts}</span>}
        {step.destroys && <span className="tag tag-bad">its data would be lost</span>}
      </p>
      {lines.length > 0 && (
        <ul className="difference" aria-label={`What differs in ${step.object}`}>
          {lines.map((line, index) => (
            <li key={index} className={line.sign === '+' ? 'line-comes' : 'line-goes'}>
              <span className="line-sign">{line.sign}</span>
              <span>
                {line.path !== '' && <b>{line.path}: </b>}
                {line.text}
              </span>
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}
