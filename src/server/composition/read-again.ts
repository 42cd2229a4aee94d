import { HoldfastError } from '../../kernel/std/index.ts'
import { findOthers, findTroubles } from './findings.ts'
import { loadEnvironment, type LoadedEnvironment } from './load.ts'
import { needsNewSockets } from './new-sockets.ts'
import { problemError } from './problems.ts'

/**
 * Reads and checks the file of an environment that runs, as it is now.
 * Errors: those of `loadEnvironment`, `configuration.needs-restart`.
 */
export async function readAgain(
  current: LoadedEnvironment,
  dataDirectory: string,
): Promise<LoadedEnvironment> {
  const fresh = await loadEnvironment(current.file, current.overrides)
  const found = await findTroubles(fresh, process.env, dataDirectory)
  const troubles = [...found, ...(await findOthers(fresh, dataDirectory))]
  if (troubles.length > 0) throw problemError(troubles)
  if (needsNewSockets(current.environment, fresh.environment)) {
    throw new HoldfastError({
      code: 'configuration.needs-restart',
      kind: 'user',
      message: 'where to listen, or with how many threads, was changed; that needs new sockets',
      path: 'edge.listen',
      hint: 'run "holdfast down" and "holdfast up"; nothing was changed',
    })
  }
  return fresh
}
