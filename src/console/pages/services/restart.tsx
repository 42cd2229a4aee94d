import { useState, type ReactNode } from 'react'
import type { EnvironmentStatus, Job } from '../../../contracts/index.ts'
import { useHouse } from '../../data/house.ts'
import { mayDo } from '../../data/session.ts'
import { useStore } from '../../data/store.ts'
import { Button, Meter } from '../../parts/basics.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { placeOf } from '../../router/router.ts'
import { sayThings } from '../../words/format.ts'

type Service = EnvironmentStatus['services'][number]

function planOf(service: Service): readonly ReactNode[] {
  const names = service.replicas.map(({ id }) => id).join(', ')
  const several = service.replicas.length > 1
  return [
    <>
      {several
        ? `${sayThings(service.replicas.length, 'replica')} (${names}) are stopped and started, one after the other.`
        : `Its one replica (${names}) is stopped and started again.`}
    </>,
    several
      ? 'The next one is not touched before the one before it is healthy again.'
      : 'Until it is healthy again, requests to it are answered with 503.',
    several ? 'Meanwhile the edge sends requests to the others.' : 'Other services are not touched.',
  ]
}

/** Restarts a service: shows the plan, then the progress, then what came of it. */
export function RestartButton({ service }: { service: Service }): ReactNode {
  const house = useHouse()
  const session = useStore(house.session.store)
  const [asking, setAsking] = useState(false)
  const [job, setJob] = useState<Job | null>(null)
  if (service.command === null || session.state !== 'in' || !mayDo(session.role, 'operate')) return null

  const restart = async (): Promise<void> => {
    setAsking(false)
    const href = placeOf(['timeline'], { subject: `service:${service.name}` })
    try {
      const { restarted } = await house.client.job(
        'environment.restart',
        { service: service.name },
        { onProgress: setJob },
      )
      house.announce({ tone: 'good', href, text: `${service.name} was restarted: ${restarted.join(', ')}` })
    } catch (error) {
      const text = `${service.name} was not restarted: ${(error as Error).message}`
      house.announce({ tone: 'bad', href: placeOf(['jobs']), text })
    }
    setJob(null)
    house.polls.refresh('')
  }
  return (
    <>
      {job === null ? (
        <Button icon="restart" onClick={() => setAsking(true)} aria-label={`Restart ${service.name}`}>
          Restart
        </Button>
      ) : (
        <span className="progress" role="status">
          <span>{job.says === '' ? 'restarting' : job.says}</span>
          <Meter share={job.share} />
        </span>
      )}
      {asking && (
        <Confirm
          title={`Restart ${service.name}`}
          plan={planOf(service)}
          action="Restart"
          onConfirm={() => void restart()}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}
