import { Cron } from 'croner'
import type { ScheduleConfig } from './config.ts'

/** The first time after `afterMs` at which a schedule falls due, milliseconds since the epoch; null: never. */
export function nextTime({ at, zone }: Pick<ScheduleConfig, 'at' | 'zone'>, afterMs: number): number | null {
  const next = new Cron(at, { timezone: zone, paused: true }).nextRun(new Date(afterMs))
  return next === null ? null : next.getTime()
}

/** What a schedule is to do now. */
export interface DueTime {
  /** The time that falls due; what was missed is made up for by the last one only. */
  readonly at: number
  /** It is so late that it counts as missed. */
  readonly missed: boolean
}

/** Later than this, a run was missed: control was away, or the clock has jumped. */
const lateMs = 60_000
/** Further back nobody wants a run made up for. */
const farthestMs = 7 * 86_400_000
const mostSteps = 20_000

/**
 * The last time that fell due after `lastMs` and until `nowMs`; null: none. Bounded work, whatever the gap: of a long one
 * only the last week is looked at.
 */
export function dueTime(
  schedule: Pick<ScheduleConfig, 'at' | 'zone'>,
  lastMs: number,
  nowMs: number,
): DueTime | null {
  let due: number | null = null
  let from = Math.max(lastMs, nowMs - farthestMs)
  for (let step = 0; step < mostSteps; step++) {
    const next = nextTime(schedule, from)
    if (next === null || next > nowMs) break
    due = next
    from = next
  }
  return due === null ? null : { at: due, missed: nowMs - due > lateMs }
}
