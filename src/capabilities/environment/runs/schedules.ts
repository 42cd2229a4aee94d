import { environmentFacts as facts } from '../../../contracts/environment.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { plainError, lookUp } from '../../../kernel/std/index.ts'
import type { EnvironmentView } from '../view.ts'
import type { SchedulesConfig } from './config.ts'
import { dueTime, nextTime } from './next-time.ts'
import type { Runs } from './runs.ts'

/** What schedules stand on. */
export interface ScheduleParts {
  readonly schedules: SchedulesConfig
  readonly runs: Pick<Runs, 'run' | 'underWay'>
  readonly view: () => EnvironmentView
  readonly context: Pick<Context, 'clock' | 'record' | 'log'>
}

/** Jobs by the clock. */
export interface Schedules {
  /** When each falls due next, milliseconds since the epoch; null: never. */
  next(name: string): number | null
  /** Resolves when the signal aborts; what runs then goes on, and is joined by the control that follows. */
  keep(signal: AbortSignal): Promise<void>
}

const tickMs = 1000
const actor = 'holdfast'

/** Creates schedules; a time is said to have come before its run begins, so that it comes once. */
export function createSchedules({ schedules, runs, view, context }: ScheduleParts): Schedules {
  const { clock } = context
  const beganAt = clock.now()
  const lastOf = (name: string): number => lookUp(view().fired, name)?.at ?? beganAt

  const perform = async (name: string, at: number, signal: AbortSignal): Promise<void> => {
    const { job = '' } = schedules[name] ?? {}
    const key = `${name}@${new Date(at).toISOString()}`
    try {
      await runs.run({ job, key }, { actor, correlation: key, why: `schedule ${name}` }, signal)
      await context.record(facts.scheduleDone, { schedule: name, due: at }, { subject: `schedule:${name}` })
    } catch (error) {
      if (signal.aborted) return
      context.log.error({ schedule: name, error: plainError(error).message }, 'a run could not be made')
    }
  }

  const fire = async (name: string, signal: AbortSignal): Promise<void> => {
    const schedule = schedules[name]
    const due = schedule === undefined ? null : dueTime(schedule, lastOf(name), clock.now())
    if (schedule === undefined || due === null) return
    const isFull = runs.underWay(schedule.job) >= schedule.overlap
    const skipped = isFull
      ? `${runs.underWay(schedule.job)} of it still run`
      : due.missed && schedule.missed === 'skip'
        ? 'it was missed'
        : ''
    const data = { schedule: name, job: schedule.job, due: due.at, skipped }
    const declaration = skipped === '' ? facts.scheduleFired : facts.scheduleSkipped
    await context.record(declaration, data, { subject: `schedule:${name}` })
    if (skipped === '') void perform(name, due.at, signal)
  }

  return {
    next: (name) => {
      const schedule = schedules[name]
      return schedule === undefined ? null : nextTime(schedule, Math.max(lastOf(name), clock.now()))
    },
    keep: async (signal) => {
      // What an earlier control began and did not see the end of.
      for (const [name, { pending }] of Object.entries(view().fired)) {
        if (!Object.hasOwn(schedules, name)) continue
        for (const at of pending) void perform(name, at, signal)
      }
      while (!signal.aborted) {
        for (const name of Object.keys(schedules)) {
          await fire(name, signal).catch((error: unknown) =>
            context.log.error({ schedule: name, error: plainError(error).message }, 'a schedule failed'),
          )
        }
        await clock.sleep(tickMs, signal).catch(() => undefined)
      }
    },
  }
}
