import type { ReactNode } from 'react'
import type { Job } from '../../contracts/index.ts'
import { sayShare } from '../words/format.ts'
import { Meter } from './basics.tsx'

/** How far a job has come, as a bar, a number and words. */
export function Progress({ job }: { job: Pick<Job, 'share' | 'says'> }): ReactNode {
  return (
    <span className="with-meter">
      <Meter share={job.share} />
      <span>
        {sayShare(job.share)} {job.says}
      </span>
    </span>
  )
}
