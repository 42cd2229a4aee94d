import type { Context } from '../../kernel/capability/index.ts'
import { plainError } from '../../kernel/std/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import { factOfEvent } from './events.ts'
import type { EnvironmentPorts } from './ports.ts'
import type { EnvironmentView } from './view.ts'

const pauseMs = 1000

/** Turns each event of the supervisor into a fact, once, also those from while control was dead. */
export async function followEvents(
  context: Context,
  ports: Pick<EnvironmentPorts, 'engine'>,
  options: { readonly view: View<EnvironmentView>; readonly signal: AbortSignal },
): Promise<void> {
  const { view, signal } = options
  while (!signal.aborted) {
    try {
      for (const event of await ports.engine.events(view.state.lastEvent, signal)) {
        const { declaration, data, subject } = factOfEvent(event)
        await context.record(declaration, data, { subject })
      }
    } catch (error) {
      if (signal.aborted) return
      context.log.warn({ error: plainError(error).message }, 'the supervisor could not be followed')
      await context.clock.sleep(pauseMs, signal).catch(() => undefined)
    }
  }
}
