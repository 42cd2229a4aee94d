import type { Log } from '../../../kernel/capability/index.ts'
import { keepSnapshotFile, readSnapshotFile } from '../../../kernel/limit/index.ts'
import { plainError, type Clock } from '../../../kernel/std/index.ts'
import type { KeepableLimits } from './limits.ts'

/** What an earlier control kept of its limits; null when there is nothing, or nothing that can be read. */
export async function readKeptLimits(path: string, log: Log): Promise<Uint8Array | null> {
  return readSnapshotFile(path).catch((error: unknown) => {
    log.warn(
      { error: plainError(error).message },
      'the limits of calls begin anew: their file cannot be read',
    )
    return null
  })
}

/** Keeps limits in a file, at most a quarter of a second behind, until the returned function is called. */
export function keepLimits(
  path: string,
  limits: KeepableLimits,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): () => Promise<void> {
  return keepSnapshotFile(path, {
    clock,
    save: () => limits.snapshot(),
    failed: (error) =>
      log.warn({ error: plainError(error).message }, 'the limits of calls cannot be written'),
  })
}
