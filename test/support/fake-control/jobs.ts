import type { Job } from '../../../src/contracts/index.ts'
import { uuidv7 } from '../../../src/kernel/std/index.ts'
import { changingJobs, type Asked, type Work } from './changing.ts'
import type { World } from './world.ts'

function workOf(asked: Asked, world: World): Work {
  const { operation, input } = asked
  const changing = changingJobs[operation]
  if (changing !== undefined) return changing(asked, world)
  if (operation === 'timeline.verify') {
    const checked = world.facts.length
    const last = world.facts.at(-1)
    const head = last === undefined ? null : { sequence: last.sequence, hash: last.hash, at: last.at }
    return {
      steps: ['half of the chain holds'],
      subject: null,
      finish: () => ({ checked, head, broken: null }),
    }
  }
  const service = String(input['service'])
  const replicas =
    world
      .services()
      .find(({ name }) => name === service)
      ?.replicas.map(({ id }) => id) ?? []
  return {
    steps: replicas.map((id) => `restarting ${id}`),
    subject: `service:${service}`,
    finish: () => {
      for (const id of replicas) world.restarted.set(id, Math.floor(world.clock.now()) - 500)
      return { restarted: replicas }
    },
  }
}

/** Starts a job that takes `stepMs` for each of its steps, and records it as control does. */
export function startJob(
  world: World,
  asked: { readonly operation: string; readonly input: Record<string, unknown>; readonly stepMs: number },
): Job {
  const { operation, stepMs } = asked
  const id = uuidv7(world.clock, world.random)
  const work = workOf({ operation, input: asked.input, id }, world)
  const at = world.jobs.length
  const change = (changed: Partial<Job>): void => {
    const known = world.jobs[at]
    if (known !== undefined) world.jobs[at] = { ...known, ...changed }
  }
  const now = (): number => Math.floor(world.clock.now())
  const fact = (kind: string, says: string): void => {
    world.addFact({ kind, says, subject: work.subject ?? `job:${id}`, actor: 'person:ada', correlation: id })
  }
  world.jobs.push({
    id,
    operation,
    actor: 'person:ada',
    state: 'running',
    requestedAt: now(),
    endedAt: null,
    share: 0,
    says: work.steps[0] ?? '',
    attempts: 1,
    result: null,
    error: null,
  })
  fact('jobs.requested', `${operation} was requested`)
  const run = async (): Promise<void> => {
    for (const [index, says] of work.steps.entries()) {
      change({ says, share: index / work.steps.length })
      await world.clock.sleep(stepMs)
    }
    change({ state: 'done', endedAt: now(), share: 1, says: 'done', result: work.finish() })
    fact('jobs.ended', `${operation} ended: done`)
  }
  void run()
  return world.jobs[at] as Job
}
