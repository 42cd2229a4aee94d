import { environmentFacts, environmentOperations } from '../../contracts/environment.ts'
import { bindValue, type Context, type OperationBinding } from '../../kernel/capability/index.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { keepAccepted } from './accepted.ts'
import { describeChanges, needsNewSockets } from './changes.ts'
import { findTroubles } from './findings.ts'
import { loadEnvironment, type LoadedEnvironment } from './load.ts'
import { problemError } from './problems.ts'

/** What a reload stands on. */
export interface ReloadGround {
  readonly loaded: LoadedEnvironment
  readonly dataDirectory: string
  readonly context: Context
  /** Ends control once the answer has left; the supervisor starts it again with what was accepted. */
  readonly endControl: () => void
}

async function readAgain(current: LoadedEnvironment): Promise<LoadedEnvironment> {
  const fresh = await loadEnvironment(current.file, current.overrides)
  const troubles = await findTroubles(fresh, process.env)
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

/** Binds `environment.reload`: a reload is a restart of control (docs/decisions/0003). */
export function bindReload({ loaded, dataDirectory, context, endControl }: ReloadGround): OperationBinding {
  return bindValue(environmentOperations.reload, async (_input, call) => {
    const fresh = await readAgain(loaded)
    const changes = describeChanges(loaded.environment, fresh.environment)
    if (changes.length === 0) return { changed: false, says: 'nothing has changed' }
    const summary = changes.join('; ').slice(0, 1000)
    await keepAccepted(dataDirectory, fresh)
    const extras = { actor: call.caller.actor, correlation: call.correlation }
    await context.record(environmentFacts.configurationAccepted, { hash: fresh.hash, summary }, extras)
    endControl()
    return { changed: true, says: summary }
  })
}
