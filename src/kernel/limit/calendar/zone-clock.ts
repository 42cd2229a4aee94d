const DAY_MS = 86_400_000
/** To find the instant at which clocks change: half a day in halves, down to a millisecond. */
const HALVINGS = 27

/**
 * What the clocks of a time zone show. Local times are written as the milliseconds since 1970 at which clocks in UTC
 * show the same.
 */
export class ZoneClock {
  declare private readonly format: Intl.DateTimeFormat

  /** `zone` is an IANA name that Intl knows. */
  constructor(zone: string) {
    this.format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** The local time at an instant. */
  localMs(atMs: number): number {
    const parts = new Map(this.format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]))
    const read = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
    const date = Date.UTC(read('year'), read('month') - 1, read('day'))
    const seconds = 3600 * read('hour') + 60 * read('minute') + read('second')
    return date + 1000 * seconds + (atMs - 1000 * Math.floor(atMs / 1000))
  }

  /** The first instant at which the clocks show this local time or, where they skip it, a later one. */
  firstInstant(localMs: number): number {
    const offsets = [this.offset(localMs - DAY_MS), this.offset(localMs + DAY_MS)]
    const [early, late] = [localMs - Math.max(...offsets), localMs - Math.min(...offsets)]
    const shown = [early, late].find((atMs) => this.localMs(atMs) === localMs)
    return shown ?? this.skip(early, { late, localMs })
  }

  private offset(atMs: number): number {
    return this.localMs(atMs) - atMs
  }

  /** The clocks jump over the local time somewhere between the two instants. */
  private skip(early: number, { late, localMs }: { late: number; localMs: number }): number {
    let [before, after] = [early, late]
    for (let turn = 0; turn < HALVINGS && after - before > 1; turn++) {
      const middle = Math.floor((before + after) / 2)
      if (this.localMs(middle) >= localMs) after = middle
      else before = middle
    }
    return after
  }
}
