import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** A UUID version 7 (RFC 9562, section 5.7): sorts by creation time, 74 random bits. */
export function uuidv7(clock: Pick<Clock, 'now'>, random: Random): string {
  const bytes = random.bytes(16)
  let milliseconds = Math.max(0, Math.floor(clock.now()))
  for (let index = 5; index >= 0; index--) {
    bytes[index] = milliseconds % 256
    milliseconds = Math.floor(milliseconds / 256)
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
