import type { Clock } from '../kernel/std/index.ts'
import type { Log } from './port.ts'

const quietMs = 30_000
const mostTexts = 100

/** Lines on standard error. */
export const standardError: Log = {
  warn: (text) => void process.stderr.write(`${text}\n`),
}

/** Says the same line once in half a minute, and at most a hundred different ones in that time. */
export function quietLog(log: Log, clock: Clock): Log {
  const said = new Map<string, number>()
  return {
    warn: (text) => {
      const nowMs = clock.monotonicMs()
      for (const [each, atMs] of said) if (nowMs - atMs >= quietMs) said.delete(each)
      if (said.has(text) || said.size >= mostTexts) return
      said.set(text, nowMs)
      log.warn(text)
    },
  }
}
