/** Counts what somebody got. */
export interface Tally {
  readonly who: string
  /** A status, or 0 for a request that got no answer. */
  count(status: number, durationMs: number): void
  countEvent(): void
  line(): string
  row(): Record<string, number>
}

/** An empty tally. */
export function createTally(who: string): Tally {
  const counts = { requests: 0, ok: 0, refused: 0, others: 0, unanswered: 0, events: 0 }
  let totalMs = 0
  const nameOf = (status: number): 'ok' | 'refused' | 'others' | 'unanswered' => {
    if (status === 0) return 'unanswered'
    if (status === 429) return 'refused'
    return status >= 200 && status < 400 ? 'ok' : 'others'
  }
  return {
    who,
    count: (status, durationMs) => {
      counts.requests++
      counts[nameOf(status)]++
      totalMs += durationMs
    },
    countEvent: () => {
      counts.events++
    },
    line: () => `${who}: ${counts.requests} requests, ${counts.ok} fine, ${counts.refused} refused`,
    row: () => ({
      requests: counts.requests,
      fine: counts.ok,
      refused: counts.refused,
      others: counts.others,
      'no answer': counts.unanswered,
      'live events': counts.events,
      'mean ms': Math.round((totalMs / Math.max(1, counts.requests)) * 10) / 10,
    }),
  }
}
