import type { Job } from '../../../src/contracts/index.ts'
import { until, type Place } from '../holdfast/index.ts'

/** The end of a job, asked for until it has come, whoever is killed meanwhile. */
export async function endedJob(here: Place, job: string): Promise<Job> {
  const found: { job?: Job } = {}
  await until(
    `the end of job ${job}`,
    async () => {
      found.job = await here.client().call('jobs.get', { job })
      return found.job.endedAt !== null
    },
    90_000,
  )
  if (found.job === undefined) throw new Error('it did not end')
  return found.job
}
