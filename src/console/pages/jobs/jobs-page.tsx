import type { ReactNode } from 'react'
import type { Job } from '../../../contracts/index.ts'
import { useNow, usePoll } from '../../data/house.ts'
import type { PageProps } from '../../parts/page-props.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, Section, StateWord, type State } from '../../parts/basics.tsx'
import { CancelButton } from './cancel.tsx'
import { Progress } from '../../parts/progress.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { answerJobs } from '../../words/answers.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'

const states: Readonly<Record<Job['state'], State>> = {
  waiting: 'idle',
  running: 'busy',
  done: 'good',
  failed: 'bad',
  cancelled: 'idle',
}

/** The environment file has jobs, too; these are the long work that was asked of Holdfast. */
const title = "Control's jobs"

/** What is Holdfast doing, and how did it end? */
export function JobsPage({ rest }: PageProps): ReactNode {
  const jobs = usePoll('jobs.list', { limit: 100 }, { periodMs: 2000 })
  const now = useNow(1000)
  const [id] = rest
  if (jobs.data === undefined) {
    return (
      <>
        <PageHead title={title} answer={[{ text: 'Looking …' }]} />
        {jobs.error === undefined ? <Loading lines={6} /> : <ErrorNote error={jobs.error} />}
      </>
    )
  }
  const chosen = jobs.data.jobs.find((job) => job.id === id)
  return (
    <>
      <PageHead
        title={title}
        answer={answerJobs(jobs.data.jobs, now)}
        actions={<a href={placeOf(['runs'])}>Jobs of the environment file</a>}
      />
      {chosen !== undefined && <JobDetails job={chosen} />}
      {jobs.data.jobs.length === 0 ? (
        <Empty
          says="No job was asked for yet. Long work becomes one, a restart for instance:"
          command="holdfast restart <service>"
        />
      ) : (
        <Section title="All jobs" aside={<span className="soft">newest first</span>}>
          <Table label="Jobs" columns={columns(now)} rows={jobs.data.jobs} rowKey={(job) => job.id} />
        </Section>
      )}
    </>
  )
}

const columns = (now: number): readonly Column<Job>[] => [
  { key: 'operation', label: 'job', cell: (job) => <a href={placeOf(['jobs', job.id])}>{job.operation}</a> },
  {
    key: 'state',
    label: 'state',
    plain: true,
    cell: (job) => <StateWord state={states[job.state]}>{job.state}</StateWord>,
  },
  { key: 'says', label: 'what it says', plain: true, cell: (job) => <Says job={job} /> },
  { key: 'actor', label: 'asked for by', cell: ({ actor }) => actor },
  {
    key: 'when',
    label: 'asked for',
    number: true,
    cell: ({ requestedAt }) => <time title={sayMoment(requestedAt)}>{sayAgo(requestedAt, now)}</time>,
  },
  { key: 'attempts', label: 'attempts', number: true, wide: true, cell: ({ attempts }) => attempts },
  { key: 'cancel', label: 'cancel', plain: true, actions: true, cell: (job) => <CancelButton job={job} /> },
]

function Says({ job }: { job: Job }): ReactNode {
  if (job.error !== null) return <span className="bad">{job.error.message}</span>
  if (job.endedAt !== null) return job.says
  return <Progress job={job} />
}

function JobDetails({ job }: { job: Job }): ReactNode {
  return (
    <Section
      title={job.operation}
      aside={<a href={placeOf(['timeline'], { subject: `job:${job.id}` })}>Its facts</a>}
    >
      <p className="service-says">
        <StateWord state={states[job.state]}>{job.state}</StateWord>
        <Says job={job} />
      </p>
      {job.error !== null && <ErrorNote error={job.error} />}
      {job.result !== null && (
        <pre className="result" tabIndex={0} aria-label="Result">
          {JSON.stringify(job.result, null, 2)}
        </pre>
      )}
    </Section>
  )
}
