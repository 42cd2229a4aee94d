import type { ReactNode } from 'react'
import type { RunHistory } from '../../../contracts/index.ts'
import { Empty, StateWord } from '../../parts/basics.tsx'
import { stateOfOutcome } from '../../words/changes.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'

type Run = RunHistory['runs'][number]

/** The last runs, each with its last lines in a fold-out. */
export function RunList(props: {
  readonly runs: readonly Run[]
  readonly jobs: readonly string[]
  readonly now: number
}): ReactNode {
  const [job = '<job>'] = props.jobs
  if (props.runs.length === 0) {
    return <Empty says="No job has run yet. Start one above, or by" command={`holdfast run ${job}`} />
  }
  return (
    <div className="runs">
      {props.runs.map((run) => (
        <OneRun key={`${run.job} ${run.run}`} run={run} now={props.now} />
      ))}
    </div>
  )
}

function OneRun({ run, now }: { run: Run; now: number }): ReactNode {
  const detail = run.outcome === 'failed' ? `: ${run.says}` : ''
  return (
    <details className="run">
      <summary>
        <b>{run.job}</b>
        <StateWord state={stateOfOutcome(run.outcome)}>
          {run.outcome}
          {detail}
        </StateWord>
        <span className="soft">
          {run.why}, by {run.by}
        </span>
        <span className="run-took">{run.seconds === null ? '' : `${run.seconds} s`}</span>
        <time title={sayMoment(run.at)}>{sayAgo(run.at, now)}</time>
      </summary>
      {run.lastLines.length === 0 ? (
        <p className="soft">{run.outcome === 'under way' ? 'It is still running.' : 'It wrote nothing.'}</p>
      ) : (
        <pre className="result" tabIndex={0} aria-label={`Last lines of ${run.job}`}>
          {run.lastLines.join('\n')}
        </pre>
      )}
    </details>
  )
}
