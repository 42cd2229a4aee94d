import type { EdgeReport } from '../../../../contracts/edge-policy.ts'
import type { Clock } from '../../../../kernel/std/index.ts'

/** The last reports, so that control may be away for five minutes without losing one. */
export interface ReportRing {
  add(report: EdgeReport): void
  /** Reports after this number, oldest first; waits up to `waitMs` when there are none. */
  after(number: number, waitMs: number, signal: AbortSignal): Promise<readonly EdgeReport[]>
}

const size = 300
/** Those who wait at once; more get an empty answer at once. */
const mostWaiting = 16

/** Creates an empty ring. */
export function createReportRing(clock: Pick<Clock, 'sleep'>): ReportRing {
  const ring: EdgeReport[] = []
  const waiting = new Set<() => void>()
  const select = (number: number): readonly EdgeReport[] => ring.filter((report) => report.number > number)
  return {
    add: (report) => {
      ring.push(report)
      if (ring.length > size) ring.shift()
      for (const wake of waiting) wake()
      waiting.clear()
    },
    after: async (number, waitMs, signal) => {
      if (select(number).length > 0 || waiting.size >= mostWaiting || waitMs <= 0) return select(number)
      const enough = new AbortController()
      const wake = (): void => enough.abort()
      waiting.add(wake)
      await clock.sleep(waitMs, AbortSignal.any([signal, enough.signal])).catch(() => undefined)
      waiting.delete(wake)
      return select(number)
    },
  }
}
