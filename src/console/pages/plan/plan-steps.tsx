import type { ReactNode } from 'react'
import type { EnvironmentPlan } from '../../../contracts/index.ts'
import { Table, type Column } from '../../parts/table.tsx'
import { sayAmounts } from '../../words/changes.ts'
import { readDifference, type ReadableDifference, type ValueLine } from '../../words/difference.ts'

type Step = EnvironmentPlan['steps'][number]

const signs: Readonly<Record<Step['verb'], '+' | '~' | '−'>> = {
  create: '+',
  change: '~',
  replace: '~',
  scale: '~',
  remove: '−',
}
const tones = { '+': 'comes', '~': 'changes', '−': 'goes' } as const

/** A plan as a readable difference, numbered in the order of what needs what. */
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
  return (
    <li className="step">
      <p className="step-head">
        <span className={`sign sign-${tones[sign]}`} aria-hidden="true">
          {sign}
        </span>
        <b>{step.object}</b>
        <span className="tag">{step.verb}</span>
        <span className="soft">{step.says}</span>
        {amounts !== '' && <span className="step-amounts">{amounts}</span>}
        {step.destroys && <span className="tag tag-bad">its data would be lost</span>}
      </p>
      <Differences step={step} />
    </li>
  )
}

/** Old and new beside each other; of what comes or goes whole, the one side that there is. */
function Differences({ step }: { step: Step }): ReactNode {
  const rows = step.differences.map(readDifference)
  if (rows.length === 0) return null
  const columns = [
    ...(rows.every(({ path }) => path === '') ? [] : [pathColumn]),
    ...(rows.every(({ before }) => before === null) ? [] : [sideColumn('before', 'now')]),
    ...(rows.every(({ after }) => after === null) ? [] : [sideColumn('after', 'then')]),
  ]
  return (
    <Table
      label={`What differs in ${step.object}`}
      className={columns.length === 1 ? 'difference difference-whole' : 'difference'}
      columns={columns}
      rows={rows}
      rowKey={({ path }) => path}
    />
  )
}

const pathColumn: Column<ReadableDifference> = {
  key: 'path',
  label: 'what',
  cell: ({ path }) => <code>{path}</code>,
}

const sideColumn = (side: 'before' | 'after', label: string): Column<ReadableDifference> => ({
  key: side,
  label,
  plain: true,
  cell: (row) => <Side lines={row[side]} side={side} />,
})

function Side({ lines, side }: { lines: readonly ValueLine[] | null; side: 'before' | 'after' }): ReactNode {
  if (lines === null) return <span className="soft">{side === 'before' ? 'not there' : 'gone'}</span>
  const [sign, word, tone] = side === 'before' ? ['−', 'goes', 'goes'] : ['+', 'comes', 'comes']
  return (
    <ul className="side">
      {lines.map(({ text, isOther }, index) => (
        <li key={index} className={isOther ? `line-${tone}` : 'line-stays'}>
          <span className="line-sign" aria-hidden="true">
            {isOther ? sign : ''}
          </span>
          <span>
            {isOther && <span className="hidden">{word}: </span>}
            {text}
          </span>
        </li>
      ))}
    </ul>
  )
}
