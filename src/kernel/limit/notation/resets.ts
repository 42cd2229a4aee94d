import { closest } from '../../std/index.ts'
import { unreadable } from './unreadable.ts'

/** When a calendar limit starts afresh, by the clock of a zone. */
export interface Reset {
  /** Minutes since midnight, 0 to 1,439. */
  readonly minuteOfDay: number
  /** 1 Monday to 7 Sunday; for a limit per week. */
  readonly dayOfWeek: number | null
  /** 1 to 28, which every month has; for a limit per month. */
  readonly dayOfMonth: number | null
  /** IANA name of the time zone, as Intl writes it. */
  readonly zone: string
}

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
const NOMINAL_DAY_MS = 86_400_000

/** Nominal lengths of calendar windows; the days on which clocks change and most months differ. */
export const calendarPeriodMs = {
  day: NOMINAL_DAY_MS,
  week: 7 * NOMINAL_DAY_MS,
  month: 30 * NOMINAL_DAY_MS,
} as const

/** Which day a reset names, by the period, and what is wrong when it does not. */
const dayWanted: ReadonlyMap<number, readonly [string, string]> = new Map([
  [calendarPeriodMs.day, ['', 'a day resets at a time alone, as in "resets 00:00"']],
  [calendarPeriodMs.week, ['weekday', 'a week resets on a weekday, as in "resets Mon 06:00"']],
  [calendarPeriodMs.month, ['day', 'a month resets on one of its days, as in "resets 1 00:00"']],
])

/** Reads what follows `resets`: `00:00`, `Mon 06:00 Europe/Vienna`, `1st 00:00`. @throws HoldfastError `limit.unreadable` */
export function readReset(written: string, text: string): Reset {
  const match = /^(?:(\d{1,2})(?:st|nd|rd|th)?\.? |([a-z]+) )?(\d{1,2}):(\d{2})(?: (\S+))?$/.exec(written)
  if (match === null) {
    throw unreadable(
      text,
      `"resets ${written}" is no time to reset (write 00:00, Mon 06:00 or 1 00:00, and a zone)`,
    )
  }
  const [, dayOfMonth, dayOfWeek, hour, minute, zone = 'UTC'] = match
  return {
    minuteOfDay: readMinute(Number(hour), Number(minute), text),
    dayOfWeek: dayOfWeek === undefined ? null : readWeekday(dayOfWeek, text),
    dayOfMonth: dayOfMonth === undefined ? null : Number(dayOfMonth),
    zone: readZone(zone, text),
  }
}

/** Writes a reset as `readReset` reads it. */
export function printReset({ minuteOfDay, dayOfWeek, dayOfMonth, zone }: Reset): string {
  const weekday = dayOfWeek === null ? '' : `${printWeekday(dayOfWeek)} `
  const day = dayOfMonth === null ? weekday : `${dayOfMonth} `
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${day}${two(Math.floor(minuteOfDay / 60))}:${two(minuteOfDay % 60)} ${zone}`
}

/** What is wrong with a calendar limit's period and reset, or undefined. */
export function faultOfReset(reset: Reset, periodMs: number): string | undefined {
  const { minuteOfDay, zone } = reset
  if (!isWhole(minuteOfDay, 0, 1439)) return 'it must reset at a minute of the day, 00:00 to 23:59'
  if (canonicalZone(zone) !== zone) return `"${zone}" is no name of a time zone as Intl writes it`
  return faultOfDay(reset, periodMs)
}

function faultOfDay({ dayOfWeek, dayOfMonth }: Reset, periodMs: number): string | undefined {
  if (dayOfMonth !== null && !isWhole(dayOfMonth, 1, 28)) {
    return `the day of the month must be 1 to 28, which every month has, not ${dayOfMonth}`
  }
  if (dayOfWeek !== null && !isWhole(dayOfWeek, 1, 7)) return 'the day of the week must be 1 to 7'
  const [wanted, fault] = dayWanted.get(periodMs) ?? ['none', 'only a number per day, week or month resets']
  const written = `${dayOfWeek === null ? '' : 'weekday'}${dayOfMonth === null ? '' : 'day'}`
  return wanted === written ? undefined : fault
}

/** The name of a zone as Intl writes it, whatever its case; undefined when there is no such zone. */
function canonicalZone(name: string): string | undefined {
  // Intl also takes offsets as "+01:00", which never change their clocks: surely not what was meant.
  if (!/^[a-z][\w+/-]*$/i.test(name)) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

function readZone(name: string, text: string): string {
  const zone = canonicalZone(name)
  if (zone !== undefined) return zone
  const meant = closestZone(name)
  const hint =
    meant === undefined ? 'Write a name such as Europe/Vienna, or UTC.' : `Did you mean "${meant}"?`
  throw unreadable(text, `"${name}" is no name of a time zone`, hint)
}

/** People write the city alone, or nearly right. */
function closestZone(name: string): string | undefined {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  const cityOf = (zone: string): string => zone.slice(zone.lastIndexOf('/') + 1)
  const city = closest(cityOf(name), zones.map(cityOf))
  return closest(name, zones) ?? zones.find((zone) => cityOf(zone) === city)
}

function readMinute(hour: number, minute: number, text: string): number {
  if (hour <= 23 && minute <= 59) return 60 * hour + minute
  throw unreadable(text, 'it must reset at a minute of the day, 00:00 to 23:59')
}

function readWeekday(word: string, text: string): number {
  const index = WEEKDAYS.findIndex((weekday) => word.length >= 3 && weekday.startsWith(word))
  if (index >= 0) return index + 1
  throw unreadable(text, `"${word}" is no day of the week (Mon, Tue, Wed, Thu, Fri, Sat or Sun)`)
}

function printWeekday(dayOfWeek: number): string {
  const weekday = WEEKDAYS[dayOfWeek - 1] ?? ''
  return `${weekday.slice(0, 1).toUpperCase()}${weekday.slice(1, 3)}`
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}
