import { asHoldfastError, type Clock } from '../../../kernel/std/index.ts'
import { problemOf } from './problems.ts'

/** An empty line is sent when a stream has been silent for so long, so that a dead connection is noticed. */
export const heartbeatMs = 10_000

/** Waits for the first item this long before the head of the answer leaves, so that a prompt failure has its status. */
const firstItemMs = 50

type Next = IteratorResult<unknown>

/** A stream whose first item, or first failure, was waited for a moment. */
export interface Primed {
  readonly iterator: AsyncIterator<unknown>
  readonly first: Promise<Next>
}

/** Asks for the first item. Throws when the stream fails at once. */
export async function prime(items: AsyncIterable<unknown>): Promise<Primed> {
  const iterator = items[Symbol.asyncIterator]()
  const first = iterator.next()
  first.catch(() => undefined)
  let wake = (): void => undefined
  const moment = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, firstItemMs)
    wake = () => clearTimeout(timer)
  })
  await Promise.race([first, moment]).finally(() => wake())
  return { iterator, first }
}

/** How lines are made. */
export interface LineOptions {
  readonly clock: Clock
  readonly failed: (error: unknown) => void
  /** Ends the stream in order, so that its reader can come again. */
  readonly closing: AbortSignal
}

/** The next item, or `beat` when it takes long or the doors close. */
async function nextOrBeat(next: Promise<Next>, { clock, closing }: LineOptions): Promise<Next | 'beat'> {
  const waiting = new AbortController()
  const beat = clock.sleep(heartbeatMs, AbortSignal.any([waiting.signal, closing])).then(
    () => 'beat' as const,
    () => 'beat' as const,
  )
  try {
    return await Promise.race([next, beat])
  } finally {
    waiting.abort(new Error('there was an item'))
  }
}

/**
 * NDJSON of a stream: an item a line, empty lines as heartbeats, and a line `{"$error": problem}` when it fails midway.
 * Pulls the next item only when the reader wants one.
 */
export async function* itemLines({ iterator, first }: Primed, options: LineOptions): AsyncGenerator<string> {
  let next = first
  try {
    for (;;) {
      if (options.closing.aborted) return
      const result = await nextOrBeat(next, options)
      if (result === 'beat') {
        yield '\n'
        continue
      }
      if (result.done === true) return
      yield `${JSON.stringify(result.value)}\n`
      next = iterator.next()
      next.catch(() => undefined)
    }
  } catch (error) {
    options.failed(error)
    yield `${JSON.stringify({ $error: problemOf(asHoldfastError(error)) })}\n`
  } finally {
    // Not awaited: a source that hangs in an item must not keep the connection.
    void iterator.return?.(undefined)?.catch(() => undefined)
  }
}
