import type { ReactNode } from 'react'
import type { Job } from '../../../contracts/index.ts'
import { useChange, useMay } from '../../data/changes.ts'
import { Button } from '../../parts/basics.tsx'
import { placeOf } from '../../router/router.ts'

/** Asks a job to stop; nothing, when it has ended or the reader may not. */
export function CancelButton({ job }: { job: Job }): ReactNode {
  const change = useChange(placeOf(['jobs', job.id]))
  if (!useMay('operate') || job.endedAt !== null) return null
  const cancel = (): void =>
    void change('jobs.cancel', { job: job.id }, `${job.operation} was asked to stop.`)
  return (
    <Button onClick={cancel} aria-label={`Cancel ${job.operation}`}>
      Cancel
    </Button>
  )
}
