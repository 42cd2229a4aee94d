import { environmentFacts } from '../../../contracts/environment.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { plainError } from '../../../kernel/std/index.ts'
import type { Engine } from '../ports.ts'

/** What is told of a loss, and when it was told already. */
export interface LossParts {
  readonly name: string
  readonly context: Pick<Context, 'record'>
  readonly isLost: () => boolean
}

/** The engine, which says once on the timeline that another Holdfast looks after the services, so that it changes nothing. */
export function tellsOfLoss(
  engine: Pick<Engine, 'choosesReplica' | 'run'>,
  { name, context, isLost }: LossParts,
): Pick<Engine, 'choosesReplica' | 'run'> {
  return {
    choosesReplica: engine.choosesReplica,
    run: async (groups) => {
      try {
        return await engine.run(groups)
      } catch (error) {
        const { code, message } = plainError(error)
        if (code === 'swarm.taken-over' && !isLost())
          await context.record(environmentFacts.lostToAnother, { name, because: message })
        throw error
      }
    },
  }
}
