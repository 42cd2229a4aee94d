import type { Measures } from '../../data/measures.ts'

const mostValues = 60

/** The last values of a gauge by replica id (`web/1`), or of a whole service (`web`), added up step by step. */
export function recentValues(series: Measures): (id: string) => readonly number[] {
  const byReplica = new Map<string, Map<number, number>>()
  for (const one of series) {
    const replica = one.labels['replica'] ?? ''
    const values = new Map(one.points.map(({ at, sum, count }) => [at, count === 0 ? 0 : sum / count]))
    byReplica.set(replica, values)
  }
  return (id) => {
    const total = new Map<number, number>()
    for (const [replica, values] of byReplica) {
      if (replica !== id && !replica.startsWith(`${id}/`)) continue
      for (const [at, value] of values) total.set(at, (total.get(at) ?? 0) + value)
    }
    const steps = [...total.entries()].sort(([a], [b]) => a - b)
    // The step that is still going on holds only some replicas.
    return steps.slice(-mostValues - 1, -1).map(([, value]) => value)
  }
}
