/** So soon after a restart a change is likely the service's own. */
const suspiciousMs = 2000
/** So many restarts in a row, each followed by a change of the same file, are a circle. */
const mostInARow = 4
const mostFiles = 10_000

/** What of some changed paths is to be acted upon. */
export interface Sifted {
  readonly wanted: readonly string[]
  /** Left out from now on: they change whenever their service is restarted. */
  readonly left: readonly string[]
}

/**
 * Finds files that a service writes whenever it starts: each of its starts would cause the next. `calmForMs` is how long
 * ago the last restart began or ended.
 */
export function createSelfWriting(): (paths: readonly string[], calmForMs: number) => Sifted {
  const inARow = new Map<string, number>()
  return (paths, calmForMs) => {
    const counts = paths.map((path) => {
      const before = inARow.get(path) ?? 0
      if (before >= mostInARow) return { path, count: before + 1 }
      const count = calmForMs < suspiciousMs ? before + 1 : 0
      if (count === 0) inARow.delete(path)
      else if (inARow.size < mostFiles) inARow.set(path, count)
      return { path, count }
    })
    return {
      wanted: counts.filter(({ count }) => count < mostInARow).map(({ path }) => path),
      left: counts.filter(({ count }) => count === mostInARow).map(({ path }) => path),
    }
  }
}
