import { timelineFacts } from '../../contracts/index.ts'
import type { Context } from '../../kernel/capability/index.ts'
import { plainError } from '../../kernel/std/index.ts'
import type { Retention } from '../../kernel/timeline/index.ts'

/** How much of the past is kept when nobody says otherwise: 400 days, 4 GiB. */
export const defaultRetention: Retention = { maxAgeMs: 400 * 86_400_000, maxSizeBytes: 4 * 2 ** 30 }

const hourMs = 3_600_000

async function retainOnce(context: Context, retention: Retention): Promise<void> {
  try {
    const removed = await context.timeline.retain(retention)
    if (removed > 0) await context.record(timelineFacts.retained, { removed })
  } catch (error) {
    context.log.error({ error: plainError(error).message }, 'old facts could not be removed')
  }
}

/** Applies the retention of the timeline every hour until the returned function is called. */
export function keepRetention(context: Context, retention: Retention): () => Promise<void> {
  let working: Promise<void> = Promise.resolve()
  let busy = false
  const stop = context.clock.every(hourMs, () => {
    if (busy) return
    busy = true
    working = retainOnce(context, retention).finally(() => (busy = false))
  })
  return async () => {
    stop()
    await working
  }
}
