import { useState } from 'react'
import type { NamesOf } from '../../client/index.ts'
import type { Job, Operations } from '../../contracts/index.ts'
import { placeOf } from '../router/router.ts'
import { useFollow } from './follow.ts'
import { useHouse } from './house.ts'

/** What is announced at the end of a job. */
export interface JobWords<Name extends NamesOf<'job'>> {
  readonly done: (result: Operations[Name]['output']) => string
  /** What did not come about: `web was not restarted`. */
  readonly failed: string
  /** Where the facts behind it are. */
  readonly href: string
}

/** A job that this page asks for. */
export interface AskedJob<Name extends NamesOf<'job'>> {
  /** The job while it is under way, else null. */
  readonly job: Job | null
  readonly start: (input: Operations[Name]['input']) => void
}

/** Asks for jobs of one kind, shows how far they are, and announces what came of them. */
export function useJob<Name extends NamesOf<'job'>>(name: Name, words: JobWords<Name>): AskedJob<Name> {
  const house = useHouse()
  const [job, setJob] = useState<Job | null>(null)
  const run = async (input: Operations[Name]['input']): Promise<void> => {
    let isFirst = true
    const onProgress = (now: Job): void => {
      setJob(now)
      // Whatever else shows it should not wait for its turn.
      if (isFirst) house.polls.refresh('')
      isFirst = false
    }
    try {
      const result = await house.client.job(name, input, { onProgress })
      house.announce({ tone: 'good', href: words.href, text: words.done(result) })
    } catch (error) {
      const text = `${words.failed}: ${(error as Error).message}`
      house.announce({ tone: 'bad', href: placeOf(['jobs']), text })
    }
    setJob(null)
    house.polls.refresh('')
  }
  return { job, start: (input) => void run(input) }
}

/** A job as it goes on, whoever asked for it; undefined before the first look. */
export function useFollowedJob(id: string): Job | undefined {
  const house = useHouse()
  const [job, setJob] = useState<Job>()
  const ended = job !== undefined && job.endedAt !== null
  useFollow({
    name: 'jobs.follow',
    key: id,
    input: () => (ended ? null : { job: id }),
    onItems: (items) => {
      const last = items.at(-1)
      setJob(last)
      if (last?.endedAt !== null) house.polls.refresh('')
    },
  })
  return job
}
