import { parseDuration } from '../../kernel/std/index.ts'

/**
 * Reads a moment as people write it, in milliseconds since the epoch: `1h` (that long ago), `now`, `today` (midnight
 * of this machine's time zone), `14:03` (today), an ISO 8601 date or time, or a number of milliseconds. Undefined when it is none.
 */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const trimmed = text.trim()
  if (trimmed === 'now') return nowMs
  if (trimmed === 'today') return new Date(nowMs).setHours(0, 0, 0, 0)
  const agoMs = parseDuration(trimmed.replace(/ ago$/, ''))
  if (agoMs !== undefined) return Math.max(0, Math.round(nowMs - agoMs))
  const time = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(trimmed)
  if (time !== null) return timeToday(time, nowMs)
  if (/^\d{9,}$/.test(trimmed)) return Number(trimmed)
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return undefined
  const parsed = new Date(trimmed.replace(' ', 'T')).getTime()
  return Number.isNaN(parsed) ? undefined : parsed
}

function timeToday([, hours, minutes, seconds = '0']: readonly string[], nowMs: number): number | undefined {
  const [hour, minute, second] = [Number(hours), Number(minutes), Number(seconds)]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  return new Date(nowMs).setHours(hour, minute, second, 0)
}
