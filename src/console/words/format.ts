import { sayDuration, saySize } from '../../kernel/std/index.ts'

const grouped = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })

/** A count, grouped: `1,240`; from 100,000 on short: `1.2 M`. */
export function sayCount(count: number): string {
  if (count < 100_000) return grouped.format(count)
  const [value, unit] = count < 1_000_000 ? [count / 1000, 'k'] : [count / 1_000_000, 'M']
  return `${value < 10 ? value.toFixed(1) : grouped.format(value)} ${unit}`
}

/** A rate per second without its unit: `0`, `0.4`, `8.2`, `412`, `1,240`. */
export function sayRate(perSecond: number): string {
  if (perSecond <= 0) return '0'
  if (perSecond < 0.05) return '< 0.1'
  return perSecond < 10 ? perSecond.toFixed(1) : sayCount(Math.round(perSecond))
}

/** A share of 0 to 1 in percent: `0 %`, `0.3 %`, `12 %`. */
export function sayShare(share: number): string {
  const percent = share * 100
  if (percent <= 0) return '0 %'
  if (percent < 0.1) return '< 0.1 %'
  return percent < 10 ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`
}

/** A latency in milliseconds, or a dash when nothing was measured. */
export function sayLatency(latencyMs: number | null): string {
  if (latencyMs === null) return '–'
  if (latencyMs < 10) return `${latencyMs.toFixed(1)} ms`
  return latencyMs < 1000
    ? `${Math.round(latencyMs)} ms`
    : `${(latencyMs / 1000).toFixed(latencyMs < 10_000 ? 2 : 0)} s`
}

/** Cores used as a share of one core: `3 %` or `1.4 cores`; a dash when unknown. */
export function sayCpu(cores: number | null): string {
  if (cores === null) return '–'
  return cores < 1 ? sayShare(cores) : `${cores.toFixed(1)} cores`
}

/** A size, or a dash when unknown. */
export function sayBytes(sizeBytes: number | null): string {
  return sizeBytes === null ? '–' : saySize(sizeBytes)
}

// Tenths of a second would flicker in a view that is refreshed every second or two.
const sayWhole = (elapsedMs: number): string =>
  elapsedMs < 10_000 ? `${Math.max(1, Math.round(elapsedMs / 1000))} s` : sayDuration(elapsedMs)

/** How long ago, never negative: `now`, `12 s ago`, `3 days ago`. */
export function sayAgo(at: number, now: number): string {
  const elapsedMs = Math.max(0, now - at)
  return elapsedMs < 1500 ? 'now' : `${sayWhole(elapsedMs)} ago`
}

/** How long something has lasted, never negative. */
export function sayFor(since: number, now: number): string {
  return sayWhole(Math.max(0, now - since))
}

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** Time of day where the reader is: `14:03:09`. */
export function sayTime(at: number): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
}

/** Time of day without seconds: `14:03`. */
export function sayMinute(at: number): string {
  return sayTime(at).slice(0, 5)
}

const day = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })

/** The day where the reader is: `Monday 23 November`. */
export function sayDay(at: number): string {
  return day.format(new Date(at)).replace(',', '')
}

/** The whole moment: `2026-11-23 14:03:09`. */
export function sayMoment(at: number): string {
  const date = new Date(at)
  const calendar = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-')
  return `${calendar} ${sayTime(at)}`
}

/** One thing or several: `1 limit`, `2 limits`. */
export function sayThings(count: number, thing: string, things = `${thing}s`): string {
  return `${sayCount(count)} ${count === 1 ? thing : things}`
}
