import type { RotationRule } from './rotate.ts'

/** The size of a log at a moment. */
export interface LogSize {
  readonly sizeBytes: number
  /** Monotonic milliseconds. */
  readonly atMs: number
}

/** What to do about a log. */
export interface LookDecision {
  /** It is full, or would be before it is looked at again. */
  readonly rotate: boolean
  /** When to look at it again, ms; `LONGEST_LOOK_MS` unless it grows fast. */
  readonly nextMs: number
}

/** Every log is looked at this often, for a quiet writer may become a fast one at any moment. */
export const LONGEST_LOOK_MS = 100
/** Looking more often than this would only take time from the copying. */
export const SHORTEST_LOOK_MS = 5

/**
 * Decides from two looks at a log whether it is rotated, and when to look again: after half the time in which it
 * would be full at the rate just seen, so that a writer that doubles its rate in the meantime is caught too.
 */
export function decideLook(before: LogSize | undefined, now: LogSize, rule: RotationRule): LookDecision {
  const bytesPerMs = rateBetween(before, now)
  const roomBytes = rule.sizeBytes - now.sizeBytes
  const rotate = roomBytes < 0 || (bytesPerMs > 0 && roomBytes < bytesPerMs * SHORTEST_LOOK_MS)
  const fullBytes = rotate ? rule.sizeBytes : roomBytes
  const halfMs = bytesPerMs === 0 ? LONGEST_LOOK_MS : fullBytes / bytesPerMs / 2
  return { rotate, nextMs: Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, halfMs)) }
}

/** A log that is shorter than before was begun anew: all of it is new. */
function rateBetween(before: LogSize | undefined, now: LogSize): number {
  if (before === undefined) return 0
  const grownBytes = now.sizeBytes < before.sizeBytes ? now.sizeBytes : now.sizeBytes - before.sizeBytes
  return grownBytes / Math.max(1, now.atMs - before.atMs)
}
