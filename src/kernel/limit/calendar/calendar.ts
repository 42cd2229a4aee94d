import type { Reset } from '../notation/resets.ts'
import { ZoneClock } from './zone-clock.ts'

/** The time from one reset to the next, in milliseconds since 1970. */
export interface CalendarWindow {
  /** The first instant that belongs to it. */
  readonly startMs: number
  /** The first instant that does not. */
  readonly endMs: number
}

const DAY_MS = 86_400_000
/** Clocks that change may move a reset by hours, so a period more on either side is looked at. */
const NEARBY = [-2, -1, 0, 1, 2]

/**
 * Finds the window of a time and remembers it, so that time zones are asked once per window and not per request.
 *
 * A reset is the first instant at which the zone's clock shows its time or later: where clocks skip it, the instant of
 * the skip; where they show it twice, the first time.
 */
export class Calendar {
  declare private readonly reset: Reset
  private clock: ZoneClock | undefined
  private window: CalendarWindow = { startMs: 0, endMs: 0 }

  constructor(reset: Reset) {
    this.reset = reset
  }

  /** The window that a time lies in. */
  at(nowMs: number): CalendarWindow {
    if (nowMs < this.window.startMs || nowMs >= this.window.endMs) this.window = this.find(nowMs)
    return this.window
  }

  private find(nowMs: number): CalendarWindow {
    const clock = (this.clock ??= new ZoneClock(this.reset.zone))
    const today = Math.floor(clock.localMs(nowMs) / DAY_MS)
    const resets = NEARBY.map((periods) =>
      clock.firstInstant(this.day(today, periods) * DAY_MS + this.reset.minuteOfDay * 60_000),
    )
    return {
      startMs: Math.max(...resets.filter((at) => at <= nowMs)),
      endMs: Math.min(...resets.filter((at) => at > nowMs)),
    }
  }

  /** The day, counted from 1970, of a reset some periods after the one near today. */
  private day(today: number, periods: number): number {
    const { dayOfWeek, dayOfMonth } = this.reset
    if (dayOfWeek !== null) return today - ((today + 4 - dayOfWeek) % 7) + 7 * periods
    if (dayOfMonth === null) return today + periods
    const date = new Date(today * DAY_MS)
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + periods, dayOfMonth) / DAY_MS
  }
}
