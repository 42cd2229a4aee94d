import { HoldfastError } from '../std/index.ts'
import type { Fact, FactQuery, Timeline } from './port.ts'
import { factMatches, searchFor } from './query.ts'

/** Most listeners of one timeline: views and followers together. */
const maxListeners = 1000
const pageFacts = 500

/** Called with facts as they are acknowledged, in order. */
export type Listener = (facts: readonly Fact[]) => void

/** Who wants to know of new facts. */
export interface Listeners {
  add(listener: Listener): () => void
  tell(facts: readonly Fact[]): void
  readonly size: number
}

/** Creates an empty, bounded set of listeners. `add` throws `timeline.full`. */
export function createListeners(): Listeners {
  const listeners = new Set<{ readonly listener: Listener }>()
  return {
    add: (listener) => {
      if (listeners.size >= maxListeners) throw tooManyListeners()
      const entry = { listener }
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
    tell: (facts) => {
      for (const { listener } of listeners) tellOne(listener, facts)
    },
    get size() {
      return listeners.size
    },
  }
}

/** A listener that throws is a bug and surfaces as one, but the facts are on disk and their callers must hear so. */
function tellOne(listener: Listener, facts: readonly Fact[]): void {
  try {
    listener(facts)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function tooManyListeners(): HoldfastError {
  return new HoldfastError({
    code: 'timeline.full',
    kind: 'operational',
    message: `${maxListeners} views and followers listen to the timeline already`,
    hint: 'close some of what follows the timeline live',
  })
}

/** What following needs of a timeline. */
export interface Followed {
  readonly timeline: Pick<Timeline, 'read' | 'onAppended'>
  /** Sequence number of the last acknowledged fact. */
  readonly lastSequence: () => number
  /** Aborts when the timeline closes. */
  readonly closed: AbortSignal
}

/**
 * Follows a timeline. Facts are always read from the store, page by page; an append only wakes the follower.
 * So a slow follower holds one page and a flag, however far it lags, and there are neither gaps nor duplicates.
 */
export function followTimeline(
  { timeline, lastSequence, closed }: Followed,
  query: FactQuery,
  signal: AbortSignal,
): AsyncIterable<Fact> {
  const search = searchFor({ ...query, limit: pageFacts, order: 'oldest' })
  let after = query.after ?? lastSequence()
  const ended = AbortSignal.any([signal, closed])

  async function* run(): AsyncGenerator<Fact> {
    const bell = createBell(ended)
    const stopListening = timeline.onAppended((facts) => {
      if (facts.some((fact) => factMatches({ ...search, after }, fact))) bell.ring()
    })
    try {
      while (!ended.aborted) {
        const seen = lastSequence()
        const page = await timeline.read({ ...query, after, limit: pageFacts, order: 'oldest' })
        for (const fact of whileOpen(page, ended)) {
          after = fact.sequence
          yield fact
        }
        if (page.length === pageFacts) continue
        after = Math.max(after, seen)
        await bell.rung()
      }
    } finally {
      stopListening()
      bell.close()
    }
  }
  return { [Symbol.asyncIterator]: run }
}

/** The facts of a page, as long as the end has not come. */
function* whileOpen(page: readonly Fact[], ended: AbortSignal): Generator<Fact> {
  for (const fact of page) {
    if (ended.aborted) return
    yield fact
  }
}

interface Bell {
  ring(): void
  /** Resolves when it has rung since the last call, or when the end has come. */
  rung(): Promise<void>
  close(): void
}

function createBell(ended: AbortSignal): Bell {
  let hasRung = false
  let wake: (() => void) | null = null
  const ring = (): void => {
    hasRung = true
    wake?.()
  }
  ended.addEventListener('abort', ring, { once: true })
  return {
    ring,
    rung: async () => {
      if (!hasRung && !ended.aborted) await new Promise<void>((resolve) => (wake = resolve))
      wake = null
      hasRung = false
    },
    close: () => ended.removeEventListener('abort', ring),
  }
}
