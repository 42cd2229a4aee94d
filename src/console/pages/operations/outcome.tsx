import type { ReactNode } from 'react'
import type { LineBuffer } from '../../data/lines.ts'
import { lastLines } from '../../data/lines.ts'
import { ErrorNote, Section, StateWord } from '../../parts/basics.tsx'
import { Progress } from '../../parts/progress.tsx'
import { placeOf } from '../../router/router.ts'
import type { Run } from './use-run.ts'

const mostItems = 500

const titles = {
  running: 'On its way',
  stopped: 'No longer watched',
  done: 'Answer',
  failed: 'Refused',
} as const

/** What came of a call: a value, items as they come, or a job's progress and result. */
export function Outcome({ run }: { run: Run }): ReactNode {
  if (run.state === 'none') return null
  return (
    <Section title={titles[run.state]}>
      <div aria-live="polite">
        {run.state === 'failed' && <ErrorNote error={run.error} />}
        {run.state !== 'failed' && run.job !== null && (
          <p className="service-says">
            <StateWord state={run.state === 'done' ? 'good' : 'busy'}>{run.job.state}</StateWord>
            <Progress job={run.job} />
            <a href={placeOf(['jobs', run.job.id])}>the job</a>
          </p>
        )}
        {run.state === 'done' && run.items === null && <Value value={run.value} />}
      </div>
      {run.state !== 'failed' && run.items !== null && <Items items={run.items} />}
    </Section>
  )
}

function Value({ value }: { value: unknown }): ReactNode {
  const nothing = value === null || (typeof value === 'object' && Object.keys(value).length === 0)
  if (nothing) return <StateWord state="good">Done.</StateWord>
  return (
    <pre className="result" tabIndex={0} aria-label="Answer">
      {JSON.stringify(value, null, 2)}
    </pre>
  )
}

function Items({ items }: { items: LineBuffer<unknown> }): ReactNode {
  return (
    <div className="log" tabIndex={0} role="region" aria-label="Items">
      {lastLines(items, mostItems).map((item, index) => (
        <div key={index} className="log-line">
          {JSON.stringify(item)}
        </div>
      ))}
    </div>
  )
}
