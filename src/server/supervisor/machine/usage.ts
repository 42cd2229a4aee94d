/** Processor time by process (or one entry for a whole cgroup) at a moment. */
export interface CpuReading {
  /** Monotonic milliseconds. */
  readonly atMs: number
  /** Milliseconds of processor time used so far, by an identity that is never reused. */
  readonly usedMs: ReadonlyMap<string, number>
}

/**
 * Share of one core between two readings, 1 = a whole core. A process that was born in between counts with all that
 * it used; one that ended in between is not seen any more. Null without an earlier reading.
 */
export function cpuShare(before: CpuReading | undefined, now: CpuReading): number | null {
  if (before === undefined || now.atMs <= before.atMs) return null
  let usedMs = 0
  for (const [key, value] of now.usedMs) usedMs += Math.max(0, value - (before.usedMs.get(key) ?? 0))
  return usedMs / (now.atMs - before.atMs)
}
