import { useState, type ReactNode } from 'react'
import type { Job } from '../../../contracts/index.ts'
import { useHouse } from '../../data/house.ts'
import { Button, Meter } from '../../parts/basics.tsx'
import { placeOf } from '../../router/router.ts'
import { sayCount } from '../../words/format.ts'

/** Walks the whole chain and says whether every link holds. */
export function VerifyButton(): ReactNode {
  const house = useHouse()
  const [job, setJob] = useState<Job | 'asked' | null>(null)
  const verify = async (): Promise<void> => {
    setJob('asked')
    try {
      const found = await house.client.job('timeline.verify', {}, { onProgress: setJob })
      if (found.broken === null) {
        house.announce({
          tone: 'good',
          text: `The chain holds: all ${sayCount(found.checked)} facts were checked.`,
        })
      } else {
        const { sequence, why } = found.broken
        const href = placeOf(['timeline'], { fact: String(sequence) })
        house.announce({ tone: 'bad', href, text: `The chain is broken at fact ${sequence}: ${why}` })
      }
    } catch (error) {
      house.announce({ tone: 'bad', text: `The chain was not checked: ${(error as Error).message}` })
    }
    setJob(null)
  }
  if (job === null) {
    return (
      <Button icon="shield" onClick={() => void verify()}>
        Verify the chain
      </Button>
    )
  }
  return (
    <span className="progress" role="status">
      <span>{job === 'asked' || job.says === '' ? 'verifying the chain' : job.says}</span>
      <Meter share={job === 'asked' ? 0 : job.share} />
    </span>
  )
}
