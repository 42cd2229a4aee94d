import { useEffect, useRef, useState } from 'react'
import type { NamesOf } from '../../client/index.ts'
import type { Operations } from '../../contracts/index.ts'
import { useConnection, useHouse } from './house.ts'

/** How a stream is opened, again and again, and where its items go. */
export interface Following<Name extends NamesOf<'stream'>> {
  readonly name: Name
  /** Asked at each opening: what was seen already may shorten it. Null: do not follow. */
  readonly input: () => Operations[Name]['input'] | null
  /** Items that came within a tenth of a second; `opening` counts from 1, a burst begins each. */
  readonly onItems: (items: readonly Operations[Name]['output'][], opening: number) => void
  /** Opens anew when it changes. */
  readonly key: string
}

/** Whether a stream is open, and why not. */
export interface FollowState {
  readonly open: boolean
  readonly error: unknown
}

const gatherMs = 100
const mostGathered = 20_000
const longestPauseMs = 10_000

/** Collects what comes within a tenth of a second, to be shown together. */
export interface Gatherer<T> {
  add(item: T): void
  flush(): void
}

/** Creates a gatherer that delivers to `deliver`. */
export function createGatherer<T>(deliver: (items: readonly T[]) => void): Gatherer<T> {
  let items: T[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (items.length === 0) return
    const ready = items
    items = []
    deliver(ready)
  }
  return {
    add: (item) => {
      items.push(item)
      if (items.length >= mostGathered) flush()
      timer ??= setTimeout(flush, gatherMs)
    },
    flush,
  }
}

const pause = (durationMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** A refusal of what was asked will not get better by asking again. */
const isFinal = (error: unknown): boolean => {
  const status = (error as { status?: unknown } | null)?.status
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 429
}

/** Follows a stream for as long as the component lives, through restarts of control. */
export function useFollow<Name extends NamesOf<'stream'>>(following: Following<Name>): FollowState {
  const { client } = useHouse()
  const { generation } = useConnection()
  const [state, setState] = useState<FollowState>({ open: false, error: undefined })
  const latest = useRef(following)
  latest.current = following
  const openings = useRef(0)

  useEffect(() => {
    const abort = new AbortController()
    const { signal } = abort
    const readOnce = async (input: Operations[Name]['input']): Promise<void> => {
      const opening = ++openings.current
      const gatherer = createGatherer<Operations[Name]['output']>((items) => {
        if (!signal.aborted) latest.current.onItems(items, opening)
      })
      try {
        setState({ open: true, error: undefined })
        for await (const item of client.stream(following.name, input, signal)) gatherer.add(item)
      } finally {
        gatherer.flush()
      }
    }
    const run = async (): Promise<void> => {
      for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        const input = latest.current.input()
        if (input === null) return setState({ open: false, error: undefined })
        const error = await readOnce(input).then(
          () => undefined,
          (failure: unknown) => failure,
        )
        if (signal.aborted) return
        setState({ open: false, error })
        if (isFinal(error)) return
        await pause(pauseMs, signal)
      }
    }
    void run()
    return () => abort.abort()
  }, [client, following.name, following.key, generation])
  return state
}

/** Kinds of facts after which a plan, or what has drifted, may be another. */
export const driftFacts: readonly string[] = [
  'applied',
  'apply-failed',
  'configuration-accepted',
  'deploy-begun',
  'deployed',
  'deploy-failed',
  'rolled-out',
  'rollout-refused',
  'service-healthy',
  'service-unhealthy',
  'started',
].map((kind) => `environment.${kind}`)

const restMs = 3000

/**
 * Asks what begins with a prefix again when a fact of a kind happens. At most every three seconds, and always after the
 * last one.
 */
export function useRefreshOnFacts(kinds: readonly string[], prefixes: readonly string[]): void {
  const { polls } = useHouse()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      timer.current = undefined
    },
    [],
  )
  useFollow({
    name: 'timeline.follow',
    key: prefixes.join(' '),
    input: () => ({ kind: 'environment.*' }),
    onItems: (facts) => {
      if (timer.current !== undefined || !facts.some(({ kind }) => kinds.includes(kind))) return
      timer.current = setTimeout(() => {
        timer.current = undefined
        for (const prefix of prefixes) polls.refresh(prefix)
      }, restMs)
    },
  })
}
