import { plainError } from '../../../src/kernel/std/index.ts'
import type { Answer } from '../../../src/server/control/stages/index.ts'
import type { Control } from './control.ts'
import type { World } from './world.ts'

/** People who ask control for things, and remember what they were promised. */
export interface People {
  /** Jobs that control said to have accepted. */
  readonly promised: ReadonlySet<string>
  /** Mails that were admitted. */
  readonly mails: readonly Mail[]
  /** Codes of errors that they were told and how often. */
  readonly told: ReadonlyMap<string, number>
  /** Somebody does something. */
  act(): Promise<void>
}

/** A mail that the limit admitted, some time between two moments; monotonic milliseconds. */
export interface Mail {
  readonly user: string
  readonly askedMs: number
  readonly answeredMs: number
}

const never = new AbortController().signal

/** Creates the people of a world. */
export function createPeople(world: World, control: Control): People {
  const { chance } = world
  const promised = new Set<string>()
  const told = new Map<string, number>()
  const mails: Mail[] = []
  let asked = 0

  const call = async (operation: string, input: object, idempotencyKey?: string): Promise<Answer | null> => {
    const { house } = control
    if (house === null) return null
    const trusted = { actor: `person:p${chance.between(1, 3)}`, permission: 'administer' } as const
    try {
      const request = { operation, input, credentials: { trusted }, signal: never }
      return await house.call(idempotencyKey === undefined ? request : { ...request, idempotencyKey })
    } catch (error) {
      const { code } = plainError(error)
      told.set(code, (told.get(code) ?? 0) + 1)
      return null
    }
  }
  const startJob = async (operation: string, input: object): Promise<void> => {
    const key = chance.oneIn(2) ? `key-${chance.between(1, 20)}-${++asked}` : undefined
    const answer = await call(operation, input, key)
    if (answer?.kind === 'job') promised.add(answer.job.id)
  }
  const sendMail = async (): Promise<void> => {
    const user = `u${chance.between(1, 3)}`
    const askedMs = world.clock.monotonicMs()
    const answer = await call('limits.take', { takes: [{ limit: 'mail', by: { user } }] })
    if (answer?.kind !== 'value') return
    const { verdicts } = answer.value as { readonly verdicts: readonly { readonly admitted: boolean }[] }
    if (verdicts[0]?.admitted === true) mails.push({ user, askedMs, answeredMs: world.clock.monotonicMs() })
  }
  const deeds: readonly (() => Promise<unknown>)[] = [
    () =>
      startJob('environment.restart', {
        service: chance.pick(['web', 'api', 'worker', 'outside', 'nobody']),
      }),
    () => startJob('timeline.verify', {}),
    sendMail,
    () => call('environment.status', {}),
    () => call('edge.routes', {}),
    () => call('edge.limits', {}),
    () => call('jobs.list', {}),
    () => call('access.create-token', { name: `token-${++asked}`, role: 'view' }),
    async () => {
      const jobs = [...promised].slice(-3)
      if (jobs.length > 0) await call('jobs.cancel', { job: chance.pick(jobs) })
    },
  ]
  return { promised, mails, told, act: async () => void (await chance.pick(deeds)()) }
}
