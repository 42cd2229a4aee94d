import type { DeployHistory, Job } from '../../../src/contracts/index.ts'
import type { World } from './world.ts'

/** What a job does: its steps in words, and its result. */
export interface Work {
  readonly steps: readonly string[]
  readonly subject: string | null
  readonly finish: () => NonNullable<Job['result']>
}

/** A job that is asked for. */
export interface Asked {
  readonly operation: string
  readonly input: Record<string, unknown>
  readonly id: string
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Moves a service to a release, as a deploy or a roll-back does. */
function move({ operation, input, id }: Asked, { changes, clock }: World): Work {
  const service = textOf(input['service'])
  const release = textOf(input['version'] ?? input['to'])
  const found = changes.releases.find((one) => one.service === service)
  const before = found?.running ?? ''
  const isBack = operation === 'environment.rollback'
  const common = { job: id, service, release, before, at: clock.now(), by: 'person:ada' }
  const asked = { note: textOf(input['note']), source: isBack ? 'what was kept' : textOf(input['from']) }
  const deploy: DeployHistory['deploys'][number] = {
    ...common,
    ...asked,
    outcome: 'under way',
    says: `${release} is on its way`,
  }
  changes.deploys.unshift(deploy)
  const verdict = isBack ? 'it was not judged' : '204 requests, 0.0 % failed, p95 30 ms'
  return {
    steps: isBack
      ? [
          `${service}: 1 of 1 new replicas are healthy`,
          `${service}: 2 of 2 new replicas serve, 1 old ones are to go`,
        ]
      : [`${service}: 0 of 1 new replicas are healthy`, `${service}: 1 new beside the old, being judged`],
    subject: `service:${service}`,
    finish: () => {
      if (found !== undefined) Object.assign(found, { running: release, back: before })
      Object.assign(deploy, { outcome: 'deployed', says: `${verdict}; took 1.2 s` })
      return { service, release, before, seconds: 1.2, says: `${service} runs ${release} (${verdict})` }
    },
  }
}

function apply({ input }: Asked, { changes }: World): Work {
  return {
    steps: ['control starts anew with the changed file', 'mailer: 2 of 3 replicas were started'],
    subject: null,
    finish: () => {
      changes.isApplied = true
      return { plan: textOf(input['plan']), steps: 5, says: '5 changes were made' }
    },
  }
}

function run({ input, id }: Asked, { changes, clock }: World): Work {
  const job = textOf(input['job'])
  const lastLines = [`${job}: done just now`]
  const begun = { job, run: id, at: clock.now(), by: 'person:ada', why: 'by hand' }
  return {
    steps: [`job ${job} runs`],
    subject: `job:${job}`,
    finish: () => {
      changes.runs.unshift({ ...begun, outcome: 'done', says: 'exit code 0', seconds: 0.3, lastLines })
      return { job, code: 0, seconds: 0.3, lastLines }
    },
  }
}

/** The jobs that change an environment. */
export const changingJobs: Readonly<Record<string, (asked: Asked, world: World) => Work>> = {
  'environment.deploy': move,
  'environment.rollback': move,
  'environment.apply': apply,
  'environment.run': run,
}
