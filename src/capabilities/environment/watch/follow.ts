import type { Context } from '../../../kernel/capability/index.ts'
import { plainError } from '../../../kernel/std/index.ts'
import type { View } from '../../../kernel/timeline/index.ts'
import { factOfEvent, type Whole } from './events.ts'
import type { Engine, EventMark } from '../ports.ts'
import type { EnvironmentView } from '../view.ts'

const pauseMs = 1000

/** Whom to follow, and how far we are. */
export interface Follower {
  readonly engine: Engine
  readonly whole: Whole
  readonly view: View<EnvironmentView>
  readonly signal: AbortSignal
}

function markOf({ lastEvent, cluster }: EnvironmentView): EventMark {
  return { supervisor: lastEvent, cluster }
}

/** Turns each event of the engine into a fact, once, also those from while control was dead. */
export async function followEvents(context: Context, follower: Follower): Promise<void> {
  const { engine, whole, view, signal } = follower
  while (!signal.aborted) {
    try {
      for (const event of await engine.events(markOf(view.state), signal)) {
        const { declaration, data, subject } = factOfEvent(event, whole)
        await context.record(declaration, data, subject === null ? {} : { subject })
      }
    } catch (error) {
      if (signal.aborted) return
      context.log.warn({ error: plainError(error).message }, 'the engine could not be followed')
      await context.clock.sleep(pauseMs, signal).catch(() => undefined)
    }
  }
}
