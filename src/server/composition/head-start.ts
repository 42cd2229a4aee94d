import type { EnvironmentCapability } from '../../capabilities/environment/index.ts'
import type { Context } from '../../kernel/capability/index.ts'
import { plainError } from '../../kernel/std/index.ts'
import type { LoadedEnvironment } from './load.ts'

/** What a change of the file is begun with. */
export interface HeadStart {
  readonly loaded: LoadedEnvironment
  readonly fresh: LoadedEnvironment
  /** Of the file that runs; it is stopped, for it would undo what the other begins. */
  readonly current: Pick<EnvironmentCapability, 'stop'>
  /** Of the file that was accepted; not started. */
  readonly next: Pick<EnvironmentCapability, 'begin'>
  readonly context: Pick<Context, 'clock' | 'log'>
}

/** Rather than wait longer, the control that follows begins. */
const mostMs = 1000

/**
 * Lets what is new start while control starts anew, instead of after it. Only ever a head start: whatever comes of it,
 * the control that follows finds out what is there and goes on. Never throws.
 */
export async function headStart({ loaded, fresh, current, next, context }: HeadStart): Promise<void> {
  const [before, after] = [loaded, fresh].map(({ environment }) => JSON.stringify(environment.engine))
  if (before !== after) return
  const over = new AbortController()
  const begun = current.stop().then(() => (over.signal.aborted ? undefined : next.begin()))
  try {
    await Promise.race([begun, context.clock.sleep(mostMs, over.signal)])
  } catch (error) {
    context.log.warn({ error: plainError(error).message }, 'what is new starts when control does')
  } finally {
    over.abort()
    begun.catch(() => undefined)
  }
}
