import { plainError } from '../../kernel/std/index.ts'

/**
 * A job's signal aborts because somebody cancelled it, or because control stops and the next one begins it again. In the
 * latter case nothing is to be undone: throws the signal's reason.
 */
export function throwUnlessCancelled(signal: AbortSignal): void {
  if (signal.aborted && plainError(signal.reason).code !== 'jobs.cancelled') throw signal.reason
}
