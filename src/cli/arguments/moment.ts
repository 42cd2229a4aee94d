import { parseDuration } from '../../kernel/std/index.ts'

/**
 * Reads a moment as people write it, in milliseconds since the epoch: `1h` (that long ago), `now`, `today` (midnight
 * of this machine's time zone), an ISO 8601 date or time, or a number of milliseconds. Undefined when it is none.
 */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const trimmed = text.trim()
  if (trimmed === 'now') return nowMs
  if (trimmed === 'today') return new Date(nowMs).setHours(0, 0, 0, 0)
  const agoMs = parseDuration(trimmed.replace(/ ago$/, ''))
  if (agoMs !== undefined) return Math.max(0, Math.round(nowMs - agoMs))
  if (/^\d{9,}$/.test(trimmed)) return Number(trimmed)
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return undefined
  const parsed = new Date(trimmed.replace(' ', 'T')).getTime()
  return Number.isNaN(parsed) ? undefined : parsed
}
