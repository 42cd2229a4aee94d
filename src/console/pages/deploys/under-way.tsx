import type { ReactNode } from 'react'
import type { DeployHistory, EnvironmentStatus, Job } from '../../../contracts/index.ts'
import { usePoll } from '../../data/house.ts'
import { useFollowedJob } from '../../data/jobs.ts'
import { Section } from '../../parts/basics.tsx'
import { Progress } from '../../parts/progress.tsx'
import { placeOf } from '../../router/router.ts'
import { Groups } from '../overview/groups.tsx'
import { CancelButton } from '../jobs/cancel.tsx'
import { phasesOf } from '../../words/phases.ts'
import { JudgingTable } from './judging.tsx'
import { Phases } from './phases.tsx'

type Deploy = DeployHistory['deploys'][number]
type Service = EnvironmentStatus['services'][number]

const operations: readonly string[] = ['environment.deploy', 'environment.rollback']

/** Deploys that are under way, each with how far it is; those that only prepare are not in the history yet. */
export function UnderWay(props: {
  readonly deploys: readonly Deploy[]
  readonly service: string | undefined
}): ReactNode {
  const jobs = usePoll('jobs.list', { limit: 50 }, { periodMs: 2000 }).data?.jobs ?? []
  const going = jobs.filter(({ operation, endedAt }) => endedAt === null && operations.includes(operation))
  const rows = going
    .map((job) => ({ job, deploy: props.deploys.find((one) => one.job === job.id) }))
    .filter(({ deploy }) => props.service === undefined || deploy !== undefined)
  return rows.map(({ job, deploy }) => <Going key={job.id} job={job} deploy={deploy} />)
}

function Going({ job, deploy }: { job: Job; deploy: Deploy | undefined }): ReactNode {
  const now = useFollowedJob(job.id) ?? job
  const services = usePoll('environment.status', {}, { periodMs: 2000 }).data?.services ?? []
  const service = services.find(({ name }) => name === deploy?.service)
  const verb = job.operation === 'environment.rollback' ? 'going back' : 'being deployed'
  return (
    <Section
      title={deploy === undefined ? 'A deploy is being prepared' : `${deploy.service} is ${verb}`}
      aside={
        <>
          <a href={placeOf(['jobs', job.id])}>Its job</a>
          {deploy !== undefined && <a href={placeOf(['services', deploy.service])}>Logs</a>}
          <CancelButton job={now} />
        </>
      }
    >
      <div className="going" role="status">
        {deploy !== undefined && (
          <p className="going-releases">
            <span className="soft">{deploy.before}</span>
            <span aria-label="to">→</span>
            <b>{deploy.release}</b>
          </p>
        )}
        <Progress job={now} />
      </div>
      <Phases phases={phasesOf({ job: now, deploy, service })} />
      {deploy !== undefined && <Asked deploy={deploy} />}
      {deploy !== undefined && <Beside deploy={deploy} services={services} />}
    </Section>
  )
}

function Asked({ deploy }: { deploy: Deploy }): ReactNode {
  return (
    <p className="service-says soft">
      <span>asked for by {deploy.by}</span>
      <span>from {deploy.source}</span>
      {deploy.note !== '' && <span>“{deploy.note}”</span>}
    </p>
  )
}

/** How the new replicas do beside the old ones, by what they are judged by, else by the last minute; nothing before both serve. */
function Beside({ deploy, services }: { deploy: Deploy; services: readonly Service[] }): ReactNode {
  const traffic = usePoll('edge.traffic', {}, { periodMs: 2000 }).data
  const judging = services.find(({ name }) => name === deploy.service)?.judging
  if (judging !== undefined) return <JudgingTable judging={judging} deploy={deploy} />
  const groups = (traffic?.groups ?? []).filter((group) => group.service === deploy.service)
  return <Groups groups={groups} services={services} />
}
