import { sayDuration } from '../../kernel/std/index.ts'

/** How long ago: `3 min ago`, `just now`; in the future: `in 3 min`. */
export function sayAgo(atMs: number, nowMs: number): string {
  const agoMs = nowMs - atMs
  if (agoMs < -1500) return `in ${sayDuration(-agoMs)}`
  if (agoMs < 1500) return 'just now'
  return `${sayDuration(Math.floor(agoMs / 1000) * 1000).replace('.0', '')} ago`
}

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** Time of day here; with the date when it is not today. */
export function sayMoment(atMs: number, nowMs: number): string {
  const at = new Date(atMs)
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':')
  if (at.toDateString() === new Date(nowMs).toDateString()) return time
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join('-')
  return `${date} ${time}`
}
