import type { ReactNode } from 'react'
import type { RunHistory } from '../../../contracts/index.ts'
import { useNow, usePoll } from '../../data/house.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, Section, StateWord } from '../../parts/basics.tsx'
import { JobButton } from '../../parts/job-button.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { answerRuns, sayIn, stateOfOutcome } from '../../words/changes.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'
import { RunList } from './run-list.tsx'

type Schedule = RunHistory['schedules'][number]
type Run = RunHistory['runs'][number]

/** Which jobs of mine run, when do they run next, and how did they end? */
export function RunsPage(): ReactNode {
  const history = usePoll('environment.runs', { most: 50 }, { periodMs: 2000 })
  const now = useNow(1000)
  if (history.data === undefined) {
    return (
      <>
        <PageHead title="Jobs and schedules" answer={[{ text: 'Looking …' }]} />
        {history.error === undefined ? <Loading lines={6} /> : <ErrorNote error={history.error} />}
      </>
    )
  }
  const { jobs, schedules, runs } = history.data
  const [last] = runs
  return (
    <>
      <PageHead
        title="Jobs and schedules"
        state={last === undefined ? 'idle' : stateOfOutcome(last.outcome)}
        answer={[{ text: answerRuns(history.data, now) }]}
        actions={<a href={placeOf(['jobs'])}>What Holdfast itself does</a>}
      />
      <Schedules schedules={schedules} runs={runs} now={now} />
      <Section title="Jobs">
        {jobs.length === 0 ? (
          <Empty
            says="The environment file names no job yet: a command that runs once, to its end, as a migration or a backup. Add one under “jobs”, then"
            command="holdfast environment plan"
          />
        ) : (
          <Table label="Jobs" columns={jobColumns(runs, now)} rows={jobs} rowKey={(job) => job} />
        )}
      </Section>
      <Section title="Last runs" aside={<span className="soft">newest first</span>}>
        <RunList runs={runs} jobs={jobs} now={now} />
      </Section>
    </>
  )
}

function Schedules(props: {
  readonly schedules: readonly Schedule[]
  readonly runs: readonly Run[]
  readonly now: number
}): ReactNode {
  return (
    <Section title="Schedules">
      {props.schedules.length === 0 ? (
        <Empty
          says="Nothing runs by the clock yet. Name a job and when it is to run under “schedules” in the environment file, then"
          command="holdfast environment plan"
        />
      ) : (
        <Table
          label="Schedules"
          columns={scheduleColumns(props.runs, props.now)}
          rows={props.schedules}
          rowKey={({ schedule }) => schedule}
        />
      )}
    </Section>
  )
}

/** How the last run of a job ended, and when it began. */
function LastRun({ run, now }: { run: Run | undefined; now: number }): ReactNode {
  if (run === undefined) return <span className="soft">has not run yet</span>
  return (
    <StateWord state={stateOfOutcome(run.outcome)}>
      <span>
        {run.outcome}, <time title={sayMoment(run.at)}>{sayAgo(run.at, now)}</time>
      </span>
    </StateWord>
  )
}

const scheduleColumns = (runs: readonly Run[], now: number): readonly Column<Schedule>[] => [
  { key: 'schedule', label: 'schedule', cell: ({ schedule }) => schedule },
  { key: 'job', label: 'runs', cell: ({ job }) => job },
  {
    key: 'at',
    label: 'at',
    cell: ({ at, zone }) => (
      <>
        <code>{at}</code> <span className="soft">{zone}</span>
      </>
    ),
  },
  {
    key: 'last',
    label: 'last run of its job',
    plain: true,
    cell: ({ job }) => <LastRun run={runs.find((run) => run.job === job)} now={now} />,
  },
  {
    key: 'next',
    label: 'next',
    number: true,
    cell: ({ next }) => (next === null ? 'never' : <time title={sayMoment(next)}>{sayIn(next, now)}</time>),
  },
]

const jobColumns = (runs: readonly Run[], now: number): readonly Column<string>[] => [
  { key: 'job', label: 'job', cell: (job) => job },
  {
    key: 'last',
    label: 'last run',
    plain: true,
    cell: (job) => <LastRun run={runs.find((run) => run.job === job)} now={now} />,
  },
  { key: 'run', label: 'run', plain: true, actions: true, cell: (job) => <RunButton job={job} /> },
]

function RunButton({ job }: { job: string }): ReactNode {
  return (
    <JobButton
      operation="environment.run"
      input={{ job }}
      icon="play"
      label="Run"
      title={`Run ${job}`}
      action="Run"
      plan={[
        `The command of ${job} runs once, to its end, with the files and variables of the service that it names in the environment file.`,
        'Its exit code and what it wrote last are kept here and on the timeline.',
        'Running replicas are not touched.',
      ]}
      words={{
        done: ({ seconds }) => `${job} ended well after ${seconds} s.`,
        failed: `${job} did not end well`,
        href: placeOf(['timeline'], { subject: `job:${job}` }),
      }}
    />
  )
}
